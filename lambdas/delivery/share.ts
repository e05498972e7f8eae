import { LRUCache } from 'lru-cache';
import { slowMs } from '../endpoint/health/slow.ts';
import type { Now } from '../shared/time.ts';

/**
 * How many attempts of one function an endpoint may hold at once: its window. Each holds a place of it from `enter` to
 * `exit`.
 */
export interface Share {
  /**
   * Asks for a place; false when there is none. Who finds none waits until one of the endpoint's attempts is answered,
   * or all of them are slow (`slowMs`): no longer.
   *
   * @param isHeld whether it is known to be slow by now (health/slow.ts): what it answered before tells nothing then
   */
  readonly enter: (endpointId: string, isHeld?: boolean) => Promise<boolean>;
  /**
   * Gives a place back: an attempt has ended.
   *
   * @param took how long it took, and whether it was told to be slow; nothing if it was not made after all
   * @returns how many milliseconds an attempt takes on average, nothing while too little is known
   */
  readonly exit: (endpointId: string, took?: Took) => number | undefined;
  /**
   * An attempt has had no answer for `slowMs`.
   *
   * @returns whether that looks like hanging: nothing has been answered quickly since it began
   */
  readonly markSlow: (endpointId: string) => boolean;
}

export interface Took {
  /** Nothing if it ended by a fault of ours. */
  readonly durationMs: number | undefined;
  readonly wasSlow: boolean;
}

/** Whoever is new, has been quiet, or takes long, begins with so many. */
const few = 3;
/** Each quick answer lets in twice as many; from here on there is nothing to protect. */
const windowMax = 1_000;
/** After so long without an attempt nothing is known of an endpoint any more. */
const quietMs = 60_000;
/** A mean of fewer is chance: of twenty answers that take 50 ms, four may take two seconds. */
const samplesMin = 20;
/** Older ones fade. */
const samplesMax = 50;

interface State {
  inFlight: number;
  slowInFlight: number;
  window: number;
  seenMs: number;
  /** When the latest quick answer came. */
  quickAtMs: number;
  meanMs: number;
  samples: number;
  isHeld: boolean;
  readonly waiting: ((isLet: boolean) => void)[];
}

/**
 * Lets an endpoint hold few attempts at first, and more as it answers quickly. A function works on one batch at a time,
 * so this bounds what one batch does to an endpoint that is new or begins to hang; over all functions its pace does
 * (health/pace.ts). When that begins, and why: health/slow.ts.
 */
export function makeShare(now: Now): Share {
  // What is in flight is never the one that has been unused for longest: a function has ten deliveries at a time.
  const states = new LRUCache<string, State>({ max: 1_000 });
  const stateOf = (endpointId: string) => stateIn(states, endpointId, now());
  return {
    enter: (endpointId, isHeld = false) => {
      const state = stateOf(endpointId);
      state.seenMs = now();
      if (isHeld !== state.isHeld) Object.assign(state, { isHeld, samples: 0, meanMs: 0 });
      if (state.inFlight < state.window) {
        state.inFlight += 1;
        return Promise.resolve(true);
      }
      if (isStuck(state)) return Promise.resolve(false);
      return new Promise((resolve) => state.waiting.push(resolve));
    },
    exit: (endpointId, took) => {
      const state = stateOf(endpointId);
      state.inFlight -= 1;
      state.seenMs = now();
      if (took !== undefined) learn(state, took, now());
      letNextIn(state);
      return state.samples >= (state.isHeld ? 1 : samplesMin) ? state.meanMs : undefined;
    },
    markSlow: (endpointId) => {
      const state = stateOf(endpointId);
      state.slowInFlight += 1;
      const isHanging = state.quickAtMs <= now() - slowMs;
      if (isHanging) state.window = few;
      sendAwayIfStuck(state);
      return isHanging;
    },
  };
}

function stateIn(states: LRUCache<string, State>, endpointId: string, nowMs: number): State {
  const known = states.get(endpointId);
  if (known !== undefined && (known.inFlight > 0 || nowMs - known.seenMs < quietMs)) return known;
  const fresh: State = {
    ...{ inFlight: 0, slowInFlight: 0, window: few, seenMs: nowMs, quickAtMs: 0 },
    ...{ meanMs: 0, samples: 0, isHeld: false, waiting: [] },
  };
  states.set(endpointId, fresh);
  return fresh;
}

/** Nobody will make room soon. */
function isStuck({ inFlight, slowInFlight, window }: State): boolean {
  return inFlight >= window && slowInFlight >= inFlight;
}

function learn(state: State, { durationMs, wasSlow }: Took, nowMs: number): void {
  if (wasSlow) state.slowInFlight -= 1;
  if (durationMs === undefined) return;
  const isQuick = durationMs < slowMs;
  state.samples = Math.min(samplesMax, state.samples + 1);
  state.meanMs += (durationMs - state.meanMs) / state.samples;
  state.window = isQuick ? Math.min(windowMax, state.window * 2) : few;
  if (isQuick) state.quickAtMs = nowMs;
}

function letNextIn(state: State): void {
  while (state.inFlight < state.window) {
    const next = state.waiting.shift();
    if (next === undefined) return;
    state.inFlight += 1;
    next(true);
  }
  sendAwayIfStuck(state);
}

function sendAwayIfStuck(state: State): void {
  if (isStuck(state)) for (const resolve of state.waiting.splice(0)) resolve(false);
}
