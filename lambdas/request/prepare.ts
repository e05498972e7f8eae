import { certificateSecret } from '../endpoint/client-certificate.ts';
import { liveVersions } from '../endpoint/endpoint.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { OwnHeader } from '../endpoint/own-header.ts';
import type { Now } from '../shared/time.ts';
import { version } from '../shared/version.ts';
import { signHmac } from '../signing/hmac.ts';
import { keyOf } from '../signing/secret.ts';
import type { ReadSecret } from '../signing/secret.ts';
import { signJwt } from '../signing/jwt.ts';
import type { SignDigest } from '../signing/jwt.ts';
import { activeKey } from '../signing/signing-key.ts';
import type { SigningKey } from '../signing/signing-key.ts';
import type { PostRequest } from './answer.ts';

export interface PreparePorts {
  readonly readSecret: ReadSecret;
  readonly readSigningKeys: (organizationId: string) => Promise<readonly SigningKey[]>;
  readonly signDigest: SignDigest;
  /** Whom tokens name as their issuer. */
  readonly issuer: string;
  readonly now: Now;
}

/** What an attempt sends. */
export interface Unsigned {
  readonly webhookId: string;
  readonly body: Uint8Array;
  /** Names the attempt in a token (`jti`). */
  readonly attemptId: string;
}

export type Prepared = Pick<PostRequest, 'headers' | 'clientCertificate'>;

/** Signs at a moment; everything slow has been read before. */
type Seal = (unsigned: Unsigned, timestamp: string) => Promise<Readonly<Record<string, string>>>;

/** A timestamp may be this much older than the request: receivers allow five minutes. */
const ageMsMax = 2_000;

/**
 * All that a request needs besides its body. Signed with the keys that are live now: by this every attempt has a
 * new timestamp, and a secret changed between two attempts takes effect on the next one. Secrets come first and the
 * timestamp after them, or a slow answer of ours would make it old.
 *
 * @throws when a secret cannot be had, or signing takes too long; nothing goes out unsigned, stale, or without what
 * its owner asked for.
 */
export async function prepare(
  ports: PreparePorts,
  endpoint: Endpoint,
  unsigned: Unsigned,
): Promise<Prepared> {
  const [own, seal, clientCertificate] = await Promise.all([
    ownHeaders(ports, endpoint),
    endpoint.scheme === 'hmac' ? hmacSeal(ports, endpoint) : jwtSeal(ports, endpoint),
    clientCertificateOf(ports, endpoint),
  ]);
  const nowMs = ports.now();
  const timestamp = String(Math.floor(nowMs / 1000));
  const ours = {
    'content-type': 'application/json',
    'user-agent': `Tidings/${version}`,
    'webhook-id': unsigned.webhookId,
    'webhook-timestamp': timestamp,
    ...(await seal(unsigned, timestamp)),
  };
  if (ports.now() - nowMs > ageMsMax) throw new Error('signing took too long');
  // None of the endpoint's own has a name of ours (own-header.ts); if one had, ours would stand.
  return { headers: { ...own, ...ours }, ...(clientCertificate === undefined ? {} : { clientCertificate }) };
}

/** Whether keys are worth remembering: an organization that has none may get its first in the next second. */
export function isNotEmpty(keys: readonly SigningKey[]): boolean {
  return keys.length > 0;
}

async function hmacSeal({ readSecret, now }: PreparePorts, endpoint: Endpoint): Promise<Seal> {
  const name = { ...ownerOf(endpoint), part: 'signing' as const };
  const secrets = await Promise.all(liveVersions(endpoint, now()).map((id) => readSecret(name, id)));
  const keys = secrets.map(keyOf);
  return ({ webhookId, body }, timestamp) =>
    Promise.resolve({ 'webhook-signature': signHmac({ webhookId, body, timestamp }, keys) });
}

async function jwtSeal(ports: PreparePorts, endpoint: Endpoint): Promise<Seal> {
  const { issuer, signDigest } = ports;
  const key = activeKey(await ports.readSigningKeys(endpoint.organizationId), ports.now());
  if (key === undefined) throw new Error('the organization has no signing key');
  return async (unsigned, timestamp) => {
    const attestation = { issuer, audience: endpoint.id, timestamp, ...unsigned };
    return { 'webhook-jwt': await signJwt(signDigest, key, attestation) };
  };
}

async function ownHeaders(
  { readSecret }: PreparePorts,
  endpoint: Endpoint,
): Promise<Readonly<Record<string, string>>> {
  const name = { ...ownerOf(endpoint), part: 'headers' as const };
  const valueOf = (header: OwnHeader) =>
    'versionId' in header ? readSecret(name, header.versionId) : Promise.resolve(header.value);
  const pairs = endpoint.headers.map(async (header) => [header.name, await valueOf(header)] as const);
  return Object.fromEntries(await Promise.all(pairs));
}

async function clientCertificateOf({ readSecret }: PreparePorts, endpoint: Endpoint) {
  if (endpoint.clientCertificate === undefined) return undefined;
  const name = { ...ownerOf(endpoint), part: 'client-certificate' as const };
  const text = await readSecret(name, endpoint.clientCertificate.versionId);
  const { certificate, privateKey } = certificateSecret.parse(JSON.parse(text));
  return { certificate, key: privateKey };
}

function ownerOf({ organizationId, id }: Endpoint) {
  return { organizationId, endpointId: id };
}
