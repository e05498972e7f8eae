import type { Answer, Post } from '../../../lambdas/request/answer.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A request as it reaches its receiver. */
export interface Arrival {
  readonly host: string;
  readonly eventId: string;
  readonly atMs: number;
  readonly timeoutMs: number;
}

/** What a receiver answers, and how long it takes. */
export type Receiver = (arrival: Arrival) => { readonly tookMs: number; readonly answer: Answer };

export const taken: Answer = { kind: 'response', status: 204 };

/** Posts to receivers in virtual time. */
export function postTo(receive: Receiver, time: VirtualTime): Post {
  return async function post({ url, headers, timeoutMs, waits = [] }) {
    const eventId = headers['webhook-id'] ?? '';
    const asked = receive({ host: new URL(url).hostname, eventId, atMs: time.now(), timeoutMs });
    const isInTime = asked.tookMs <= timeoutMs;
    const durationMs = isInTime ? asked.tookMs : timeoutMs;
    let passedMs = 0;
    for (const { afterMs, tell } of waits) {
      if (durationMs <= afterMs) continue;
      await time.sleep(afterMs - passedMs);
      passedMs = afterMs;
      tell();
    }
    await time.sleep(durationMs - passedMs);
    return { answer: isInTime ? asked.answer : { kind: 'failure', code: 'timeout' }, durationMs, phases: [] };
  };
}
