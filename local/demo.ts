import { play } from './demo/script.ts';
import { setStage } from './demo/stage.ts';
import { step } from './demo/steps.ts';

/** `npm run demo`: an event's whole life by script; exit 0 only if every step was seen. */
const limitMs = 150_000;

const overdue = setTimeout(() => {
  console.error(`The demo did not end within ${limitMs / 1000} seconds.`);
  process.exit(1);
}, limitMs);

try {
  const stage = await step('the stack runs in this process, made from the synthesized template', setStage);
  try {
    await play(stage);
  } finally {
    await stage.stop();
  }
  console.log('\nEverything was seen.');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  clearTimeout(overdue);
}
