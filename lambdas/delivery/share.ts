import { LRUCache } from 'lru-cache';
import { slowMs } from '../endpoint/health/slow.ts';
import type { Now } from '../shared/time.ts';

/** How many attempts of one function an endpoint may hold at once. */
export interface Share {
  /**
   * Asks for leave to begin an attempt; false when the endpoint has its share. Who finds it full waits until one of its
   * attempts is answered, or counts as slow (`slowMs`): no longer.
   */
  readonly enter: (endpointId: string) => Promise<boolean>;
  /**
   * An attempt has ended.
   *
   * @param durationMs how long it took; nothing if it was not made after all
   * @returns how many milliseconds an attempt takes, on average of the last ten
   */
  readonly leave: (endpointId: string, durationMs?: number) => number;
  /** An attempt has had no answer for `slowMs`. @param worstMs its timeout. @returns the average, as far as it is known */
  readonly slow: (endpointId: string, worstMs: number) => number;
}

/** Whoever is new, has been quiet, or takes long, begins with so many. */
const few = 3;
/** Each quick answer lets in twice as many; from here on there is nothing to protect. */
const windowMax = 1_000;
/** After so long without an attempt nothing is known of an endpoint any more. */
const quietMs = 60_000;
/** Of so many latest answers: more, and who begins to hang is known too late (npm run simulate:isolation). */
const samplesMax = 10;

interface State {
  inFlight: number;
  slowInFlight: number;
  window: number;
  seenMs: number;
  meanMs: number;
  samples: number;
  worstMs: number;
  readonly waiting: ((isLet: boolean) => void)[];
}

/**
 * Lets an endpoint hold few attempts at first, and more as it answers quickly. A function works on one batch at a time,
 * so this bounds what one batch does to an endpoint that is new or begins to hang; over all functions its pace does
 * (health/pace.ts), which is noted in the ledger as soon as the first attempt is slow.
 */
export function makeShare(now: Now): Share {
  // What is in flight is never the one that has been unused for longest: a function has ten deliveries at a time.
  const states = new LRUCache<string, State>({ max: 1_000 });
  const stateOf = (endpointId: string) => stateIn(states, endpointId, now());
  return {
    enter: (endpointId) => {
      const state = stateOf(endpointId);
      state.seenMs = now();
      if (state.inFlight < state.window) {
        state.inFlight += 1;
        return Promise.resolve(true);
      }
      if (isSlow(state)) return Promise.resolve(false);
      return new Promise((resolve) => state.waiting.push(resolve));
    },
    leave: (endpointId, durationMs) => {
      const state = stateOf(endpointId);
      state.inFlight -= 1;
      state.seenMs = now();
      if (durationMs !== undefined) learn(state, durationMs);
      admit(state);
      return meanOf(state);
    },
    slow: (endpointId, worstMs) => {
      const state = stateOf(endpointId);
      state.slowInFlight += 1;
      state.worstMs = worstMs;
      if (isSlow(state)) {
        state.window = few;
        for (const resolve of state.waiting.splice(0)) resolve(false);
      }
      return meanOf(state);
    },
  };
}

function stateIn(states: LRUCache<string, State>, endpointId: string, nowMs: number): State {
  const known = states.get(endpointId);
  if (known !== undefined && (known.inFlight > 0 || nowMs - known.seenMs < quietMs)) return known;
  const fresh: State = {
    ...{ inFlight: 0, slowInFlight: 0, window: few, seenMs: nowMs },
    ...{ meanMs: 0, samples: 0, worstMs: 0, waiting: [] },
  };
  states.set(endpointId, fresh);
  return fresh;
}

/** How long an attempt takes on average, those that have not answered yet at their worst. */
function meanOf({ meanMs, samples, slowInFlight, worstMs }: State): number {
  const all = samples + slowInFlight;
  return all === 0 ? 0 : (meanMs * samples + worstMs * slowInFlight) / all;
}

function isSlow(state: State): boolean {
  return state.slowInFlight > 0 && meanOf(state) >= slowMs;
}

function learn(state: State, durationMs: number): void {
  state.samples = Math.min(samplesMax, state.samples + 1);
  state.meanMs += (durationMs - state.meanMs) / state.samples;
  if (durationMs >= slowMs) state.slowInFlight = Math.max(0, state.slowInFlight - 1);
  state.window = meanOf(state) >= slowMs ? few : Math.min(windowMax, state.window * 2);
}

function admit(state: State): void {
  while (state.inFlight < state.window) {
    const next = state.waiting.shift();
    if (next === undefined) return;
    state.inFlight += 1;
    next(true);
  }
  // A slow one among those that remain will not let them in soon.
  if (isSlow(state)) for (const resolve of state.waiting.splice(0)) resolve(false);
}
