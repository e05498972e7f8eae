import type { Answer } from '../../lambdas/request/answer.ts';
import type { Chance } from './chance.ts';

/** What a receiver does with a request. */
export interface Reaction {
  readonly answer: Answer;
  readonly tookMs: number;
  /** How long its answer asks to be left alone, as we promise to honour it; 0 if it does not. */
  readonly hintMs: number;
}

export type Behaviour = (circumstances: { nowMs: number; timeoutMs: number; chance: Chance }) => Reaction;

const dayMs = 86_400_000;

const quickly = (chance: Chance): number => chance.between(5, 300);

export const answering =
  (...statuses: readonly number[]): Behaviour =>
  ({ chance }) => ({
    answer: { kind: 'response', status: chance.pick(statuses) },
    tookMs: quickly(chance),
    hintMs: 0,
  });

const refusing: Behaviour = ({ chance }) => {
  const codes = ['connection_refused', 'connection_reset', 'tls_expired', 'dns_not_found'] as const;
  return { answer: { kind: 'failure', code: chance.pick(codes) }, tookMs: quickly(chance), hintMs: 0 };
};

const hanging: Behaviour = ({ timeoutMs }) => ({
  answer: { kind: 'failure', code: 'timeout' },
  tookMs: timeoutMs,
  hintMs: 0,
});

/** Takes the event, in the last moment or somewhat before. */
const slow: Behaviour = ({ timeoutMs, chance }) => ({
  answer: { kind: 'response', status: 200 },
  tookMs: chance.between(Math.floor(timeoutMs / 4), timeoutMs - 1),
  hintMs: 0,
});

/** 429 and 503 with every kind of `Retry-After`. */
const throttling =
  (hints: readonly Hint[]): Behaviour =>
  ({ nowMs, chance }) => {
    const tookMs = quickly(chance);
    const { text, untilMs } = chance.pick(hints)(nowMs + tookMs);
    const status = chance.pick([429, 503]);
    const hintMs = Math.min(dayMs, Math.max(0, untilMs - (nowMs + tookMs)));
    return { answer: { kind: 'response', status, retryAfter: text }, tookMs, hintMs };
  };

type Hint = (nowMs: number) => { text: string; untilMs: number };

const afterSeconds =
  (seconds: number): Hint =>
  (nowMs) => ({ text: String(seconds), untilMs: nowMs + seconds * 1000 });

const atDate =
  (seconds: number): Hint =>
  (nowMs) => {
    const untilMs = Math.floor(nowMs / 1000 + seconds) * 1000;
    return { text: new Date(untilMs).toUTCString(), untilMs };
  };

const garbage =
  (text: string): Hint =>
  (nowMs) => ({ text, untilMs: nowMs });

const shortHints = [
  ...[0, 1, 30, 120, 600].map(afterSeconds),
  ...[-3_600, 45, 300].map(atDate),
  ...['soon', '-5', '', '1e3', '12, 13', 'Tue, 1 Jan'].map(garbage),
];

/** Rare: a day of silence shows little. */
const longHints = [afterSeconds(315_360_000), atDate(315_360_000), afterSeconds(7_200)];

export const healthy = answering(200, 201, 204);

/** How a receiver behaves for a time. */
export function drawBehaviour({ chance, isLong }: { chance: Chance; isLong: boolean }): Behaviour {
  return chance.weigh<Behaviour>([
    [11, healthy],
    [7, answering(500, 502)],
    [2, answering(404, 301, 307)],
    [0.7, answering(410)],
    [4, answering(200, 500)],
    [4, throttling(shortHints)],
    [isLong ? 2 : 0, throttling(longHints)],
    [3, hanging],
    [3, refusing],
    [3, slow],
    [2, (given) => given.chance.pick([healthy, refusing, hanging, slow])(given)],
  ]);
}
