import { resolve } from 'node:path';
import { parseFlags, usage, WrongFlags } from './sign-in/flags.ts';
import { findPage } from './sign-in/page.ts';
import { planOf } from './sign-in/plan.ts';
import { signIn } from './sign-in/sign-in.ts';

try {
  const flags = parseFlags(process.argv.slice(2));
  const page = flags.page ?? (await findPage(resolve('.tidings', 'local.json')));
  const token = await signIn(planOf(page), {
    opensBrowser: flags.opensBrowser,
    // The terminal's other half: `TOKEN=$(npm run -s sign-in …)` takes the token alone.
    say: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`${token}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof WrongFlags) process.stderr.write(`\n${usage}\n`);
  process.exitCode = error instanceof WrongFlags ? 2 : 1;
}
