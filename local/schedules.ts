import type { Clock } from './aws/clock.ts';
import type { Hops } from './permissions/hops.ts';
import type { Functions } from './resources/functions.ts';
import type { ScheduledRule } from './resources/messaging.ts';

export interface Scheduled {
  readonly functions: Pick<Functions, 'byArn'>;
  readonly schedules: readonly ScheduledRule[];
  readonly hops: Pick<Hops, 'serviceInvokes'>;
}

/** Calls what rules call in time, each at its interval; gives what ends it. */
export function startSchedules(scheduled: Scheduled, clock: Clock): () => Promise<void> {
  const cancels = scheduled.schedules.map((rule) =>
    every(rule.everyMs, clock, () => {
      // A function that fails has said so in its log.
      for (const arn of rule.functionArns) call(scheduled, rule.arn, arn).catch(() => undefined);
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
export async function runSchedules(scheduled: Scheduled, id = ''): Promise<void> {
  const all = scheduled.schedules.flatMap((rule) => rule.functionArns.map((arn) => ({ rule, arn })));
  // CDK ends a logical id with eight hexadecimal digits.
  const meant = all.filter(({ arn }) => arn.replace(/[0-9A-F]{8}$/, '').endsWith(id));
  if (meant.length === 0) throw new Error(`No rule calls ${id}`);
  await Promise.all(meant.map(({ rule, arn }) => call(scheduled, rule.arn, arn)));
}

/** @throws Refused when the function does not let EventBridge call it for this rule. */
async function call({ functions, hops }: Scheduled, ruleArn: string, functionArn: string): Promise<unknown> {
  hops.serviceInvokes('events', ruleArn, functionArn);
  return functions.byArn(functionArn).invoke({});
}
