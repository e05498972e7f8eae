import type { Clock } from './aws/clock.ts';
import type { Functions } from './resources/functions.ts';
import type { ScheduledRule } from './resources/messaging.ts';

export interface Scheduled {
  readonly functions: Pick<Functions, 'byArn'>;
  readonly schedules: readonly ScheduledRule[];
}

/** Calls what rules call in time, each at its interval; gives what ends it. */
export function startSchedules({ schedules, functions }: Scheduled, clock: Clock): () => Promise<void> {
  const cancels = schedules.map(({ everyMs, functionArns }) =>
    every(everyMs, clock, () => {
      // A function that fails has said so in its log.
      for (const arn of functionArns)
        functions
          .byArn(arn)
          .invoke({})
          .catch(() => undefined);
    }),
  );
  return () => {
    for (const cancel of cancels) cancel();
    return Promise.resolve();
  };
}

/**
 * Runs something at multiples of an interval from now on: a timer that fires late makes one run late, not all after it.
 * What a machine has slept through is not made up for.
 */
function every(everyMs: number, clock: Clock, run: () => void): () => void {
  const startMs = clock.now();
  let cancel = (): void => undefined;
  const plan = (turn: number): void => {
    cancel = clock.after(startMs + turn * everyMs - clock.now(), () => {
      run();
      const passed = Math.floor((clock.now() - startMs) / everyMs);
      // Timers of Node may fire a millisecond early, when this turn has not passed yet.
      plan(Math.max(turn, passed) + 1);
    });
  };
  plan(1);
  return () => {
    cancel();
  };
}

/**
 * Calls all of them once, now, or one of them.
 *
 * @param id end of its path in the stack, such as `Wake`
 * @throws Error when no rule calls it
 */
export async function runSchedules({ schedules, functions }: Scheduled, id = ''): Promise<void> {
  const all = schedules.flatMap(({ functionArns }) => functionArns);
  // CDK ends a logical id with eight hexadecimal digits.
  const arns = all.filter((arn) => arn.replace(/[0-9A-F]{8}$/, '').endsWith(id));
  if (arns.length === 0) throw new Error(`No rule calls ${id}`);
  await Promise.all(arns.map((arn) => functions.byArn(arn).invoke({})));
}
