import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

/** A key that the samples find in the key set, or one that they must not trust. */
export interface Key {
  readonly kid: string;
  readonly algorithm: 'ES256' | 'RS256';
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export function makeKey(kid: string, algorithm: Key['algorithm']): Key {
  const pair =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, algorithm, ...pair };
}

export function jwkOf({ kid, algorithm, publicKey }: Key): JsonWebKey {
  return { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
}

export type Part = Readonly<Record<string, unknown>>;

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** A token signed by a key, whatever its header says. */
export function signToken(key: Key, header: Part, claims: unknown): string {
  const input = `${encode(header)}.${encode(claims)}`;
  const signature = createSign('sha256')
    .update(input)
    .sign({ key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

/** A signature in DER, as KMS gives it: no JOSE signature. */
export function signTokenInDer(key: Key, header: Part, claims: unknown): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createSign('sha256').update(input).sign(key.privateKey).toString('base64url')}`;
}

/** The oldest trick on JWT libraries: the public key as an HMAC secret. */
export function signTokenByHmac(secret: string, header: Part, claims: unknown): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

export function unsignedToken(header: Part, claims: unknown): string {
  return `${encode(header)}.${encode(claims)}.`;
}

/** The runner's own key set on loopback, for tokens that Tidings would never sign. */
export async function startKeySet(keys: readonly Key[]) {
  const body = JSON.stringify({ keys: keys.map(jwkOf) });
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the key set has no port');
  return {
    url: `http://127.0.0.1:${address.port}/jwks.json`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
