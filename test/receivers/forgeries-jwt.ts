import { createHash, randomUUID } from 'node:crypto';
import {
  aheadSeconds,
  anEvent,
  changed,
  flipped,
  newEventId,
  nowSeconds,
  oldSeconds,
  staleSeconds,
  without,
} from './forgeries.ts';
import type { Case, Forged } from './forgeries.ts';
import { jwkOf, makeKey, signToken, signTokenByHmac, signTokenInDer, unsignedToken } from './keys.ts';
import type { Key, Part } from './keys.ts';

/** What the samples find in the runner's key set: beside the right key one of an algorithm that they must not take. */
export interface Published {
  readonly key: Key;
  readonly rsaKey: Key;
}

export function publishedKeys(): Published {
  return { key: makeKey('runner-es256', 'ES256'), rsaKey: makeKey('runner-rs256', 'RS256') };
}

export interface Expected {
  readonly issuer: string;
  readonly audience: string;
}

type Sign = (header: Part, claims: unknown) => string;

/** What a sample that reads these keys must accept and refuse; all but the keys of strangers are trusted. */
export function jwtCases({ key, rsaKey }: Published, expected: Expected): readonly Case[] {
  const stranger = makeKey('stranger', 'ES256');
  const by =
    (signer: Key): Sign =>
    (header, claims) =>
      signToken(signer, header, claims);
  const make = (change: Change = {}, sign = by(key)) => forge(expected, { key, sign, ...change });
  const claims = (more: Part) => () => make({ claims: more });
  const token = (value: string) => () => changed(make(), { 'webhook-jwt': value });
  return [
    ...agedCases(make),
    {
      column: 'foreign key',
      verdict: 'refused',
      requests: {
        'under its own kid': () => make({ header: { kid: stranger.kid } }, by(stranger)),
        'under the right kid': () => make({}, by(stranger)),
        'with its key in the header': () => make({ header: { jwk: jwkOf(stranger) } }, by(stranger)),
        'without a kid': () => make({ header: { kid: undefined } }, by(stranger)),
      },
    },
    missingCase(make),
    {
      column: 'malformed',
      verdict: 'refused',
      requests: {
        'no token in it': token('x'),
        'empty parts': token('..'),
        'three words': token('a.b.c'),
        'five parts': token('a.b.c.d.e'),
        'long and wrong': token('A'.repeat(6_000)),
        'a signature in DER': () => make({}, (header, claims) => signTokenInDer(key, header, claims)),
        'no signature': () =>
          make({}, (header, claims) => signToken(key, header, claims).replace(/[^.]+$/, '')),
        'claims that are a list': () => make({}, (header) => signToken(key, header, [])),
        'a kid that is a list': () => make({ header: { kid: [key.kid] } }),
        'iat in letters': claims({ iat: 'now' }),
        'exp in letters': claims({ exp: 'never' }),
        'a hash that is a number': claims({ body_sha256: 1 }),
        'an id that is a list': claims({ webhook_id: [] }),
        'no iat': claims({ iat: undefined }),
        'no exp': claims({ exp: undefined }),
        'no hash': claims({ body_sha256: undefined }),
        'no id': claims({ webhook_id: undefined }),
        'an empty body': () => ({ ...make(), body: Buffer.alloc(0) }),
      },
    },
    {
      column: 'algorithm',
      verdict: 'refused',
      requests: {
        none: () => make({ header: { alg: 'none' } }, unsignedToken),
        'none, with the signature': () => make({ header: { alg: 'none' } }),
        'HS256 by the public key': () => make({ header: { alg: 'HS256' } }, hmacBy(pemOf(key))),
        'HS256 by the JWK': () => make({ header: { alg: 'HS256' } }, hmacBy(JSON.stringify(jwkOf(key)))),
        'RS256 by a published key': () => make({ header: { alg: 'RS256', kid: rsaKey.kid } }, by(rsaKey)),
      },
    },
    {
      column: 'audience, issuer',
      verdict: 'refused',
      requests: {
        'another audience': claims({ aud: 'ep_of_another' }),
        'no audience': claims({ aud: undefined }),
        'another issuer': claims({ iss: 'https://evil.example' }),
        'no issuer': claims({ iss: undefined }),
      },
    },
    {
      column: 'type',
      verdict: 'refused',
      requests: {
        JWT: () => make({ header: { typ: 'JWT' } }),
        'at+jwt': () => make({ header: { typ: 'at+jwt' } }),
        none: () => make({ header: { typ: undefined } }),
      },
    },
    { column: 'still up', verdict: 'accepted', requests: { 'after all that': () => make() } },
  ];
}

type Make = (change?: Change, sign?: Sign) => Forged;

function agedCases(make: Make): readonly Case[] {
  const hour = 3_600;
  return [
    {
      column: 'genuine',
      verdict: 'accepted',
      requests: { now: () => make(), 'four minutes old': () => make({ ageSeconds: oldSeconds }) },
    },
    {
      column: 'tampered',
      verdict: 'refused',
      requests: {
        'a bit of the body': () => ({ ...make(), body: flipped(make().body) }),
        'another id': () => changed(make(), { 'webhook-id': newEventId() }),
        'another time': () => changed(make(), { 'webhook-timestamp': String(nowSeconds() - 7) }),
      },
    },
    {
      column: 'stale',
      verdict: 'refused',
      requests: {
        '301 s old': () => make({ ageSeconds: staleSeconds }),
        // Receivers look at the age themselves, too.
        '301 s old, said to hold for longer': () =>
          make({ ageSeconds: staleSeconds, claims: { exp: nowSeconds() + hour } }),
        'ahead of time': () => make({ ageSeconds: -aheadSeconds }),
      },
    },
  ];
}

function missingCase(make: Make): Case {
  const names = ['webhook-id', 'webhook-timestamp', 'webhook-jwt'] as const;
  return {
    column: 'missing header',
    verdict: 'refused',
    requests: {
      ...Object.fromEntries(names.map((name) => [name, () => without(make(), name)])),
      all: () => without(make(), ...names),
    },
  };
}

interface Change {
  readonly ageSeconds?: number;
  readonly header?: Part;
  readonly claims?: Part;
}

/** A request whose token is right in all but what is changed; `undefined` takes a member away. */
function forge({ issuer, audience }: Expected, change: Change & { key: Key; sign: Sign }): Forged {
  const body = anEvent();
  const id = newEventId();
  const issuedAt = nowSeconds() - (change.ageSeconds ?? 0);
  const header = { alg: 'ES256', kid: change.key.kid, typ: 'webhook+jwt', ...change.header };
  const claims = {
    iss: issuer,
    aud: audience,
    jti: randomUUID(),
    iat: issuedAt,
    exp: issuedAt + 300,
    webhook_id: id,
    body_sha256: createHash('sha256').update(body).digest('base64url'),
    ...change.claims,
  };
  const token = change.sign(header, claims);
  return {
    body,
    headers: { 'webhook-id': id, 'webhook-timestamp': String(issuedAt), 'webhook-jwt': token },
  };
}

function hmacBy(secret: string): Sign {
  return (header, claims) => signTokenByHmac(secret, header, claims);
}

function pemOf({ publicKey }: Key): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}
