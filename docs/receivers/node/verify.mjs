// The part to copy: everything that decides whether a request is a webhook of yours.
import { createHash } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { Webhook } from 'standardwebhooks';

/**
 * Scheme `hmac`: the official Standard Webhooks library. It compares in constant time and refuses timestamps older
 * or newer than five minutes. While a secret is rotated, requests carry a signature for each: keep either one.
 */
export function makeHmacVerifier({ secret }) {
  const webhook = new Webhook(secret);

  /**
   * @param {Buffer} body the bytes as they arrived
   * @param {Record<string, string | undefined>} headers with lower-case names
   * @returns the event; throws unless the request is genuine
   */
  return async function verifyHmac(body, headers) {
    return webhook.verify(body, headers);
  };
}

const toleranceSeconds = 300;

/** Scheme `jwt`: a token in `webhook-jwt`, signed with a key whose public half stands at `jwksUrl`. */
export function makeJwtVerifier({ jwksUrl, issuer, audience }) {
  // Kept for ten minutes, fetched again for an unknown `kid` but at most every 30 seconds: rotation needs no deploy.
  const keys = createRemoteJWKSet(new URL(jwksUrl));

  /** As `verifyHmac`. */
  return async function verifyJwt(body, headers) {
    const { payload } = await jwtVerify(headers['webhook-jwt'] ?? '', keys, {
      algorithms: ['ES256'], // never what the token itself asks for
      issuer,
      audience, // your endpoint's id: a token for another endpoint is worth nothing here
      typ: 'webhook+jwt',
      requiredClaims: ['iat', 'exp', 'jti', 'webhook_id', 'body_sha256'],
    });
    // A JWT library does not know the request: these comparisons are yours. No secret is in them.
    const hash = createHash('sha256').update(body).digest('base64url');
    if (payload.body_sha256 !== hash) throw new Error('the body is not the one that was signed');
    if (payload.webhook_id !== headers['webhook-id']) throw new Error('another webhook-id was signed');
    if (String(payload.iat) !== headers['webhook-timestamp']) throw new Error('another time was signed');
    if (Math.abs(Date.now() / 1000 - payload.iat) > toleranceSeconds) throw new Error('too old, or too new');
    return JSON.parse(body.toString());
  };
}
