import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** Who may use the local API: stands in for the user pool, or for the issuer named in the settings. */
export interface Identity {
  /** A bearer token, signed with RS256 as the template's authorizer expects it. */
  readonly issueToken: (grant: Grant) => Promise<string>;
  /** @throws Error when the token is not ours, not for this audience, or not valid now. */
  readonly verify: (token: string, expected: Expected) => Promise<Claims>;
}

export interface Grant {
  /** Left out for an operator, who belongs to no organization. */
  readonly organizationId?: string;
  readonly scopes: readonly string[];
  readonly expiresInSeconds?: number;
}

/** What an authorizer of the template demands of a token. */
export interface Expected {
  readonly issuer: string;
  readonly audiences: readonly string[];
}

export type Claims = Readonly<Record<string, unknown>>;

export interface IdentityOptions extends Expected {
  /** Claim that holds the organization's id. */
  readonly organizationClaim: string;
  /** Where the key is kept, so that tokens outlive a restart; without it there is a new one each time. */
  readonly dataFolder?: string;
  readonly nowMs: () => number;
}

export const organizationScopes = ['webhooks:read', 'webhooks:write'] as const;
export const operatorScopes = [...organizationScopes, 'webhooks:operate'] as const;

export async function createIdentity(options: IdentityOptions): Promise<Identity> {
  const jwk = options.dataFolder === undefined ? await generateKey() : await keptKey(options.dataFolder);
  const kid = await calculateJwkThumbprint(jwk);
  const privateKey = await importJWK(jwk, 'RS256');
  const publicKey = await importJWK({ kty: 'RSA', n: jwk.n, e: jwk.e }, 'RS256');
  return {
    issueToken: ({ organizationId, scopes, expiresInSeconds = 3600 }) => {
      const nowSeconds = Math.floor(options.nowMs() / 1000);
      const organization =
        organizationId === undefined ? {} : { [options.organizationClaim]: organizationId };
      return new SignJWT({ ...organization, scope: scopes.join(' '), token_use: 'access' })
        .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
        .setIssuer(options.issuer)
        .setAudience(options.audiences[0] ?? '')
        .setSubject(organizationId ?? 'operator')
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
