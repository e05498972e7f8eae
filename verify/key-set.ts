import { importKey } from './jwk.ts';
import type { Jwk, VerificationKey } from './jwk.ts';
import { isObject } from './request.ts';
import { VerificationError } from './verification-error.ts';

/** Keys by their `kid`; two of one name stand beside each other, so that neither is taken. */
export type KeySet = ReadonlyMap<string, readonly Jwk[]>;

/** Reads a JSON Web Key Set (RFC 7517); `undefined` when it is none. Keys without a `kid` can not be named. */
export function parseKeySet(value: unknown): KeySet | undefined {
  const keys: unknown = isObject(value) ? value['keys'] : undefined;
  if (!Array.isArray(keys)) return undefined;
  const byKid = new Map<string, readonly Jwk[]>();
  for (const jwk of keys.filter(isObject)) {
    const { kid } = jwk;
    if (typeof kid === 'string') byKid.set(kid, [...(byKid.get(kid) ?? []), jwk]);
  }
  return byKid;
}

/** @throws VerificationError `unknown_key`, `ambiguous_key`, `unsuitable_key`. */
export function chooseKey(keys: KeySet, kid: string): VerificationKey {
  const [jwk, ...more] = keys.get(kid) ?? [];
  if (jwk === undefined) throw new VerificationError('unknown_key');
  if (more.length > 0) throw new VerificationError('ambiguous_key');
  return importKey(jwk);
}
