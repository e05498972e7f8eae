import { CompactSign, exportJWK, generateKeyPair } from 'jose';
import { createHash, createHmac } from 'node:crypto';
import type { KeyObject, webcrypto } from 'node:crypto';
import { VerificationError } from '../../verify/verification-error.ts';
import type { VerificationCode } from '../../verify/verification-error.ts';

export const nowMs = Date.UTC(2026, 10, 23, 10);
export const nowSeconds = nowMs / 1000;
export const now = () => nowMs;
export const webhookId = 'evt_01KBV5ZP00AAAAAAAAAAAAAAAA';
export const issuer = 'https://webhooks.example';
export const audience = 'ep_one';

export const event = {
  id: webhookId,
  type: 'pipeline.run.failed',
  timestamp: '2026-11-23T10:00:00.000Z',
  organizationId: 'org_1',
  resource: 'pipeline/42',
  data: { runId: 77, note: 'Grüße, 世界 🎉' },
};
export const body = Buffer.from(JSON.stringify(event));

export const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
export const secret = secretOf(7);

interface Hmac {
  readonly secrets?: readonly string[];
  readonly body?: Uint8Array;
  readonly id?: string;
  readonly timestamp?: string;
}

/** Signed here by what the standard says, not by our sender. */
export function hmacHeaders({ secrets = [secret], body: signed = body, id = webhookId, ...rest }: Hmac = {}) {
  const { timestamp = String(nowSeconds) } = rest;
  const signatures = secrets.map((one) => {
    const hmac = createHmac('sha256', Buffer.from(one.replace('whsec_', ''), 'base64'));
    return `v1,${hmac.update(`${id}.${timestamp}.`).update(signed).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

export interface Signer {
  readonly jwk: Record<string, unknown> & { kid: string };
  readonly algorithm: string;
  readonly privateKey: webcrypto.CryptoKey | KeyObject | Uint8Array;
}

export async function aSigner(algorithm: 'ES256' | 'RS256', kid: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm);
  return { jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: algorithm }, algorithm, privateKey };
}

export interface JwtChange {
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
}

/** Signed by jose, whose code is neither our sender's nor our verifier's. */
export async function jwtHeaders(signer: Signer, change: JwtChange = {}): Promise<Record<string, string>> {
  const claims = {
    iss: issuer,
    aud: audience,
    jti: 'att_1',
    iat: nowSeconds,
    exp: nowSeconds + 300,
    webhook_id: webhookId,
    body_sha256: sha256(change.body ?? body),
    ...change.claims,
  };
  const token = await new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({
      alg: signer.algorithm,
      kid: signer.jwk.kid,
      typ: 'webhook+jwt',
      ...change.header,
    })
    .sign(signer.privateKey);
  return {
    'webhook-id': webhookId,
    // A test may put anything into the claims, also what has no text.
    'webhook-timestamp': String(typeof claims.iat === 'number' ? claims.iat : nowSeconds),
    'webhook-jwt': token,
    ...change.headers,
  };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

/** How a verification ended: `ok` or the code; anything else that is thrown fails the test. */
export async function outcomeOf(verification: Promise<unknown>): Promise<'ok' | VerificationCode> {
  try {
    await verification;
    return 'ok';
  } catch (fault) {
    if (fault instanceof VerificationError) return fault.code;
    throw fault;
  }
}
