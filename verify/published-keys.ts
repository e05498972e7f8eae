import { fetchKeySet } from './fetch-key-set.ts';
import type { FetchedKeySet } from './fetch-key-set.ts';
import type { KeySet } from './key-set.ts';
import { VerificationError } from './verification-error.ts';

/** A new key is published a day before its first use, so an hour is early enough, and lets a revoked one go. */
const freshMsMax = 3_600_000;

/** `max-age=0` must not turn every webhook into a request for keys. */
const freshMsMin = 60_000;

/** What Tidings says itself, for a proxy that took the header away. */
const freshMsUsual = 300_000;

/** How long keys go on working after they should have been fetched again and could not be. */
const staleMsMax = 3_600_000;

/** Anybody can name keys that do not exist: that brings one request a minute and no more. */
const againMs = 60_000;

/** Without any key nothing can be verified, so it is tried again sooner. */
const firstAgainMs = 5000;

/** URLs whose keys are kept; beyond it the one that was made first goes. */
const urlsMax = 1000;

export interface PublishedKeys {
  /**
   * The keys to look for `kid` in: those at hand, or fetched again when they are old or do not hold it.
   *
   * @throws VerificationError `keys_unavailable`.
   */
  readonly read: (kid: string, nowMs: number) => Promise<KeySet>;
}

const made = new Map<string, PublishedKeys>();

/** The keys at a URL, shared by all calls of `verify` in this process. */
export function publishedKeys(url: string): PublishedKeys {
  const kept = made.get(url);
  if (kept !== undefined) return kept;
  const keys = makePublishedKeys(() => fetchKeySet(url));
  const [oldest] = made.keys();
  if (oldest !== undefined && made.size >= urlsMax) made.delete(oldest);
  made.set(url, keys);
  return keys;
}

/** What is at hand, by the clock of whoever asked for it. */
interface Kept {
  readonly keys: KeySet;
  readonly freshUntilMs: number;
}

/** Keeps one key set, and has one request for it under way at most. */
export function makePublishedKeys(fetchKeys: () => Promise<FetchedKeySet>): PublishedKeys {
  let kept: Kept | undefined;
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let failure: unknown;
  let underWay: Promise<void> | undefined;

  async function fetchAgain(nowMs: number): Promise<void> {
    triedAtMs = nowMs;
    try {
      kept = keep(await fetchKeys(), nowMs);
    } catch (fault) {
      failure = fault;
    } finally {
      underWay = undefined;
    }
  }

  return {
    read: async (kid, nowMs) => {
      const isWanting = kept === undefined || nowMs >= kept.freshUntilMs || !kept.keys.has(kid);
      const mayTry = nowMs - triedAtMs >= (kept === undefined ? firstAgainMs : againMs);
      if (isWanting && mayTry) underWay ??= fetchAgain(nowMs);
      // Also those that may not start one wait for the one that is under way: it may bring their key.
      if (isWanting) await underWay;
      if (kept === undefined || nowMs >= kept.freshUntilMs + staleMsMax) {
        throw new VerificationError('keys_unavailable', { cause: failure });
      }
      return kept.keys;
    },
  };
}

function keep({ keys, maxAgeSeconds }: FetchedKeySet, nowMs: number): Kept {
  const saidMs = maxAgeSeconds === undefined ? freshMsUsual : maxAgeSeconds * 1000;
  return { keys, freshUntilMs: nowMs + Math.min(Math.max(saidMs, freshMsMin), freshMsMax) };
}
