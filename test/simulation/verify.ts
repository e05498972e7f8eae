import jsonwebtoken from 'jsonwebtoken';
import { createHash } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import type { Endpoint, SecretVersion } from '../../lambdas/endpoint/endpoint.ts';
import type { SigningKey } from '../../lambdas/signing/signing-key.ts';
import type { KeyObject } from 'node:crypto';
import type { Book, Request } from './book.ts';
import { staleMsMax } from './settings.ts';

export const issuer = 'https://api.example.com';

/** How far apart two clocks of ours may be. */
const skewMsMax = 2_000;

interface Verification {
  readonly book: Book;
  readonly request: Request;
  /** How the endpoint was set up, in all ways that may still be believed. */
  readonly endpoints: readonly Endpoint[];
  readonly publicKeyOf: (keyId: string) => KeyObject;
}

/** What is wrong with a request's signature, for a receiver with a stock library and the keys of this moment. */
export function signatureFault(verification: Verification): string | undefined {
  const { headers } = verification.request;
  const scheme = headers['webhook-jwt'] === undefined ? 'hmac' : 'jwt';
  const allowed = verification.endpoints.map((endpoint) => endpoint.scheme);
  if (!allowed.includes(scheme)) return `it is signed by ${scheme}, which the endpoint did not ask for`;
  return scheme === 'hmac' ? hmacFault(verification) : jwtFault(verification);
}

/** A receiver that knows only one secret of those in use must be able to verify, whichever it is. */
function hmacFault({ book, request, endpoints }: Verification): string | undefined {
  const all = endpoints.map(({ secretVersions }) => secretVersions);
  const known = new Set(all.flat().map(({ id }) => id));
  const inUse = [...known].filter((id) => all.every((versions) => isLive(versions, id, request.atMs)));
  const verifies = (id: string) => isVerified(book.secrets.get(id) ?? '', request);
  const missing = inUse.find((id) => !verifies(id));
  if (missing !== undefined) return `a receiver with the secret ${missing} cannot verify it`;
  const isKnown = inUse.length > 0 || [...known].some(verifies);
  return isKnown ? undefined : 'none of the secrets that may be in use verifies it';
}

function isLive(versions: readonly SecretVersion[], id: string, nowMs: number): boolean {
  const version = versions.find((one) => one.id === id);
  if (version === undefined) return false;
  return version.expiresAt === undefined || Date.parse(version.expiresAt) > nowMs + skewMsMax;
}

function isVerified(secret: string, { headers, body, atMs }: Request): boolean {
  const webhook = new Webhook(secret);
  try {
    // The library reads the clock of the process.
    at(atMs, () => webhook.verify(Buffer.from(body), { ...headers }, { jsonParse: false }));
    return true;
  } catch {
    return false;
  }
}

function at(nowMs: number, run: () => unknown): void {
  const real = Date.now;
  Date.now = () => nowMs;
  try {
    run();
  } finally {
    Date.now = real;
  }
}

const claims = z.object({ webhook_id: z.string(), body_sha256: z.string(), iat: z.number() });

function jwtFault({ book, request, endpoints, publicKeyOf }: Verification): string | undefined {
  const token = request.headers['webhook-jwt'] ?? '';
  const kid = jsonwebtoken.decode(token, { complete: true })?.header.kid ?? '';
  const states = book.signingKey(kid).between(request.atMs - staleMsMax, request.atMs);
  const [key] = states.filter((one) => one !== undefined && isPublished(one, request.atMs));
  if (key === undefined) return 'its key is not in the key set';
  if (Date.parse(key.activeFrom) > request.atMs + skewMsMax) return 'its key is not to be used yet';
  if (endpoints.every(({ organizationId }) => organizationId !== key.organizationId))
    return "it is signed by another organization's key";
  try {
    const payload = jsonwebtoken.verify(token, publicKeyOf(key.keyId), {
      algorithms: ['ES256'],
      audience: request.endpointId,
      issuer,
      clockTimestamp: Math.floor(request.atMs / 1000),
    });
    const said = claims.parse(payload);
    const isSame =
      said.webhook_id === request.headers['webhook-id'] &&
      String(said.iat) === request.headers['webhook-timestamp'] &&
      said.body_sha256 === createHash('sha256').update(request.body).digest('base64url');
    return isSame ? undefined : 'its claims are of another request';
  } catch (fault) {
    return fault instanceof Error ? fault.message : 'the library refuses it';
  }
}

/** A change of the keys may not have been seen yet. */
function isPublished({ retiredAt }: SigningKey, nowMs: number): boolean {
  return retiredAt === undefined || Date.parse(retiredAt) > nowMs - staleMsMax;
}
