import {
  calculateJwkThumbprint,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
  jwtVerify,
  SignJWT,
} from 'jose';
import type { JSONWebKeySet } from 'jose';
import { createHmac, randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** The key that signs the local tokens: stands in for the user pool's, or for that of the issuer in the settings. */
export interface Identity {
  /** A bearer token, signed with RS256 as the template's authorizer expects it. */
  readonly issueToken: (grant: Grant) => Promise<string>;
  /** @throws Error when the token is not ours, not for this audience, or not valid now. */
  readonly verify: (token: string, expected: Expected) => Promise<Claims>;
  /** The public half of the key, for others who verify. */
  readonly keySet: JSONWebKeySet;
  /** A client's secret, the same as long as the key is. */
  readonly secretOf: (clientId: string) => string;
}

export interface Grant {
  /** All that the token says, besides its issuer, times and id. */
  readonly claims: Claims;
  readonly expiresInSeconds?: number;
}

/** What an authorizer of the template demands of a token. */
export interface Expected {
  readonly issuer: string;
  readonly audiences: readonly string[];
}

export type Claims = Readonly<Record<string, unknown>>;

export interface IdentityOptions {
  readonly issuer: string;
  /** Where the key is kept, so that tokens outlive a restart; without it there is a new one each time. */
  readonly dataFolder?: string;
  readonly nowMs: () => number;
}

export async function createIdentity(options: IdentityOptions): Promise<Identity> {
  const jwk = options.dataFolder === undefined ? await generateKey() : await keptKey(options.dataFolder);
  const kid = await calculateJwkThumbprint(jwk);
  const privateKey = await importJWK(jwk, 'RS256');
  const publicJwk = { kty: 'RSA', n: jwk.n, e: jwk.e };
  const publicKey = await importJWK(publicJwk, 'RS256');
  return {
    keySet: { keys: [{ ...publicJwk, kid, alg: 'RS256', use: 'sig' }] },
    secretOf: (clientId) => createHmac('sha256', jwk.d).update(clientId).digest('base64url'),
    issueToken: ({ claims, expiresInSeconds = 3600 }) => {
      const nowSeconds = Math.floor(options.nowMs() / 1000);
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
        .setIssuer(options.issuer)
        .setJti(randomUUID())
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + expiresInSeconds)
        .sign(privateKey);
    },
    verify: async (token, expected) => {
      const { payload, protectedHeader } = await jwtVerify(token, publicKey, {
        algorithms: ['RS256'],
        issuer: expected.issuer,
        requiredClaims: ['exp'],
        currentDate: new Date(options.nowMs()),
      }).catch((fault: unknown) => {
        throw new Error(reasonOf(fault), { cause: fault });
      });
      if (protectedHeader.kid !== kid) throw new Error('the token was signed with a key that is not known');
      // As the authorizer of an HTTP API: `client_id` counts only where there is no `aud` (Cognito's access tokens).
      const audiences = [payload.aud ?? payload['client_id']].flat();
      if (!expected.audiences.some((one) => audiences.includes(one))) {
        throw new Error('the token does not have a valid audience');
      }
      return payload;
    },
  };
}

/** Why a token is refused, in words of ours: a caller reads them in `WWW-Authenticate`. */
function reasonOf(fault: unknown): string {
  if (fault instanceof errors.JWTExpired) return 'the token has expired';
  if (fault instanceof errors.JWSSignatureVerificationFailed) {
    return 'the token was altered, or signed with a key that is not known';
  }
  if (!(fault instanceof errors.JWTClaimValidationFailed)) return 'the token is no JWT signed with RS256';
  return fault.claim === 'iss' ? 'the token is of another issuer' : `the token has no usable ${fault.claim}`;
}

/** An RSA key with its private half. */
const privateJwk = z.looseObject({ kty: z.literal('RSA'), n: z.string(), e: z.string(), d: z.string() });
type PrivateJwk = z.output<typeof privateJwk>;

async function generateKey(): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return privateJwk.parse(await exportJWK(privateKey));
}

async function keptKey(dataFolder: string): Promise<PrivateJwk> {
  const path = join(dataFolder, 'identity.json');
  try {
    return privateJwk.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const jwk = await generateKey();
  // Whole or not at all: a process killed in between must not leave half a key behind.
  await writeFile(`${path}.new`, JSON.stringify(jwk), { mode: 0o600 });
  await rename(`${path}.new`, path);
  return jwk;
}
