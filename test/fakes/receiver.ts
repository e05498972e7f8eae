import type { Answer, Post, PostRequest } from '../../lambdas/request/answer.ts';
import type { TestClock } from './clock.ts';

/** One answer of a script: a status, an answer in full, or a function of the number of the request, from 1. */
export type Scripted = number | Answer;

/** The stores of the tests take a turn of the event loop for a call. */
const turnsToNote = 10;

export interface Received extends PostRequest {
  readonly atMs: number;
  readonly answer: Answer;
}

/**
 * A receiver with a script. It takes some time for each answer, as a real one would, and keeps what it was sent.
 * Asked more often than its script has answers, it throws.
 */
export function scriptedReceiver(clock: TestClock, tookMs = 20) {
  const requests: Received[] = [];
  let script: Scripted[] = [];
  let isForever = false;
  const post: Post = async (request) => {
    const next = isForever ? script[0] : script.shift();
    if (next === undefined) throw new Error(`no answer is scripted for request ${requests.length + 1}`);
    const answer = typeof next === 'number' ? ({ kind: 'response', status: next } as const) : next;
    requests.push({ ...request, atMs: clock.now(), answer });
    let passedMs = 0;
    for (const { afterMs, tell } of request.waits ?? []) {
      if (tookMs < afterMs) continue;
      clock.pass(afterMs - passedMs);
      passedMs = afterMs;
      tell();
      // What is told is noted while the receiver still takes its time.
      for (let turns = 0; turns < turnsToNote; turns += 1) await new Promise(setImmediate);
    }
    clock.pass(tookMs - passedMs);
    return { answer, durationMs: tookMs, phases: [] };
  };
  return {
    post,
    requests,
    /** What it answers next, in this order. */
    answers: (...answers: Scripted[]) => {
      script = answers;
      isForever = false;
    },
    /** What it answers from now on. */
    always: (answer: Scripted) => {
      script = [answer];
      isForever = true;
    },
  };
}
