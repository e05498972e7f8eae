import { calculateJwkThumbprint } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  activeKey,
  keySetOf,
  publicJwk,
  stateOf,
  thumbprintOf,
} from '../../../lambdas/signing/signing-key.ts';
import type { SigningKey } from '../../../lambdas/signing/signing-key.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aSigning } from './a-signing.ts';

const { set } = aSigning(() => testStartMs);
const hourMs = 3_600_000;
const at = (hours: number) => isoTime(testStartMs + hours * hourMs);

describe('a key', () => {
  const old = set({ kid: 'old', publishedAt: at(-48), activeFrom: at(-48), retiredAt: at(20) });
  const next = set({ kid: 'next', publishedAt: at(0), activeFrom: at(10) });
  const all = [old, next];

  it.each([
    [-1, 'active', 'pending'],
    [0, 'active', 'pending'],
    [9.999, 'active', 'pending'],
    [10, 'retiring', 'active'],
    [19.999, 'retiring', 'active'],
    [20, 'retired', 'active'],
    [10_000, 'retired', 'active'],
  ])('after %d hours is %s when it was the first, and %s when it is the next', (hours, first, second) => {
    const nowMs = testStartMs + hours * hourMs;
    expect(all.map((key) => stateOf(key, all, nowMs))).toEqual([first, second]);
    expect(stateOf(next, all.toReversed(), nowMs)).toBe(second);
  });

  it.each([
    [9.999, 'old'],
    [10, 'next'],
    [20, 'next'],
  ])('after %d hours the one that signs is %s, in whatever order they are stored', (hours, kid) => {
    const nowMs = testStartMs + hours * hourMs;
    expect(activeKey(all, nowMs)?.kid).toBe(kid);
    expect(activeKey(all.toReversed(), nowMs)?.kid).toBe(kid);
  });

  it('that has retired signs nothing, and neither does one that is yet to come', () => {
    expect(activeKey([old], testStartMs + 20 * hourMs)).toBeUndefined();
    expect(activeKey([next], testStartMs)).toBeUndefined();
    expect(activeKey([], testStartMs)).toBeUndefined();
  });

  it('of two from the same moment is one and the same for everybody', () => {
    const twins = [set({ kid: 'a' }), set({ kid: 'b' })];
    expect(activeKey(twins, testStartMs)).toEqual(activeKey(twins.toReversed(), testStartMs));
    expect(twins.map((key) => stateOf(key, twins, testStartMs)).toSorted()).toEqual(['active', 'retiring']);
  });
});

describe('the key set', () => {
  const key = set();
  const gone = set({ retiredAt: at(0) });
  const pending = set({ algorithm: 'RS256', activeFrom: at(1) });
  const going = set({ retiredAt: at(1) });

  it('holds what signs, what will and what did, and nothing that has retired', () => {
    const kids = keySetOf([key, gone, pending, going], testStartMs).keys.map(({ kid }) => kid);
    expect(kids).toEqual([key.kid, pending.kid, going.kid]);
  });

  it('shows public members only, and says what each key is for', () => {
    const [ec, rsa] = keySetOf([key, pending], testStartMs).keys;
    expect(Object.keys(ec ?? {}).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    expect(Object.keys(rsa ?? {}).toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
    expect(ec).toMatchObject({ kty: 'EC', alg: 'ES256', use: 'sig' });
    expect(rsa).toMatchObject({ kty: 'RSA', alg: 'RS256', use: 'sig' });
  });

  it('has no place for a private member', () => {
    expect(publicJwk.safeParse({ ...key.jwk, d: 'private' }).success).toBe(false);
    expect(publicJwk.safeParse({ ...pending.jwk, d: 'private' }).success).toBe(false);
  });
});

describe('thumbprintOf', () => {
  it.each<[string, Partial<SigningKey>]>([
    ['P-256', {}],
    ['RSA', { algorithm: 'RS256' }],
  ])('is what jose calculates for a key on %s', async (_kind, given) => {
    const { jwk } = set(given);
    expect(thumbprintOf(jwk)).toBe(await calculateJwkThumbprint(jwk));
  });

  // RFC 7638, 3.1.
  it('is what the RFC gives for its example', () => {
    const n =
      '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
    expect(thumbprintOf({ kty: 'RSA', e: 'AQAB', n })).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
  });
});
