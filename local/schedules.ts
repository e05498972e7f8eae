import type { Clock } from './aws/clock.ts';
import type { Functions } from './resources/functions.ts';
import type { ScheduledRule } from './resources/messaging.ts';

export interface Scheduled {
  readonly functions: Functions;
  readonly schedules: readonly ScheduledRule[];
}

/** Calls what rules call in time, each at its interval; gives what ends it. */
export function startSchedules({ schedules, functions }: Scheduled, clock: Clock): () => Promise<void> {
  const cancels = schedules.map(({ everyMs, functionArns }) => {
    let cancel = (): void => undefined;
    const again = (): void => {
      cancel = clock.after(everyMs, () => {
        // A function that fails has said so in its log.
        for (const arn of functionArns)
          functions
            .byArn(arn)
            .invoke({})
            .catch(() => undefined);
        again();
      });
    };
    again();
    return () => {
      cancel();
    };
  });
  return () => {
    for (const cancel of cancels) cancel();
    return Promise.resolve();
  };
}

/** Calls all of them once, now. */
export async function runSchedules({ schedules, functions }: Scheduled): Promise<void> {
  const arns = schedules.flatMap(({ functionArns }) => functionArns);
  await Promise.all(arns.map((arn) => functions.byArn(arn).invoke({})));
}
