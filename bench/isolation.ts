import { parseArgs } from 'node:util';
import { z } from 'zod';
import { makeCast, onsetScene, retriesScene, slowScene } from './isolation-cast.ts';
import type { IsolationScene } from './isolation-cast.ts';
import { judge } from './isolation-report.ts';

/**
 * One endpoint takes long; how long do the others wait? On the real local runtime, with real receivers over HTTPS, in
 * three scenes: one of three endpoints begins to hang; an endpoint with half of all traffic hangs, and others need a
 * second attempt; one of three answers after ten seconds. Waiting is the time from PutEvents to the arrival of the
 * request, or from a refusal to the next attempt, over the whole time, its first second included. It is held against
 * the same traffic before and after, when that endpoint answers at once: of the two, the calmer one.
 */
const { values } = parseArgs({
  options: {
    /** One of onset, retries and slow; all of them, if left out. */
    scene: { type: 'string' },
    /** Events a second. With more, two cores are busy with handshakes, and measure that. */
    rate: { type: 'string', default: '20' },
    /** Of each of the two stretches without the noisy endpoint. */
    seconds: { type: 'string', default: '30' },
    'noisy-seconds': { type: 'string', default: '60' },
  },
});
const positive = z.coerce.number().positive();
const perSecond = positive.parse(values.rate);
const seconds = positive.parse(values.seconds);
const noisySeconds = positive.parse(values['noisy-seconds']);

const warmUpSeconds = 10;
/** The noisy endpoint's own. */
const timeoutSeconds = 15;

const all = { onset: onsetScene, retries: retriesScene, slow: slowScene };
const wanted = z.enum(['onset', 'retries', 'slow']).optional().parse(values.scene);

async function play(scene: IsolationScene): Promise<boolean> {
  const cast = await makeCast(scene, { perSecond, timeoutSeconds });
  await cast.publishFor(warmUpSeconds);
  const before = await cast.publishFor(seconds);
  cast.setNoisy(true);
  const during = await cast.publishFor(noisySeconds);
  cast.setNoisy(false);
  await cast.renewNoisy();
  // Until all functions know of the new one, and the last attempts at the old one have ended.
  await cast.publishFor(timeoutSeconds + warmUpSeconds);
  const after = await cast.publishFor(seconds);
  await cast.stop();
  const { isWell, text } = judge(scene, { before, during, after, noisyArrivals: cast.noisyArrivals() });
  process.stdout.write(text);
  return isWell;
}

let isWell = true;
for (const scene of wanted === undefined ? Object.values(all) : [all[wanted]]) {
  if (!(await play(scene))) isWell = false;
}
process.exit(isWell ? 0 : 1);
