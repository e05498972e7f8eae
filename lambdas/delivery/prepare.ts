import { certificateSecret } from '../endpoint/client-certificate.ts';
import { liveVersions } from '../endpoint/endpoint.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { OwnHeader } from '../endpoint/own-header.ts';
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
}

/** What an attempt sends; its time is the attempt's own. */
export interface Unsigned {
  readonly webhookId: string;
  readonly body: Uint8Array;
  readonly nowMs: number;
  /** Names the attempt in a token (`jti`). */
  readonly attemptId: string;
}

export type Prepared = Pick<PostRequest, 'headers' | 'clientCertificate'>;

/**
 * All that a request needs besides its body. Signed with the keys that are live now: by this every attempt has a
 * new timestamp, and a secret changed between two attempts takes effect on the next one.
 *
 * @throws when a secret cannot be had; nothing goes out unsigned or without what its owner asked for.
 */
export async function prepare(
  ports: PreparePorts,
  endpoint: Endpoint,
  unsigned: Unsigned,
): Promise<Prepared> {
  const [own, signature, clientCertificate] = await Promise.all([
    ownHeaders(ports, endpoint),
    endpoint.scheme === 'hmac' ? hmacHeader(ports, endpoint, unsigned) : jwtHeader(ports, endpoint, unsigned),
    clientCertificateOf(ports, endpoint),
  ]);
  const ours = {
    'content-type': 'application/json',
    'user-agent': `Tidings/${version}`,
    'webhook-id': unsigned.webhookId,
    'webhook-timestamp': timestampOf(unsigned),
    ...signature,
  };
  // None of the endpoint's own has a name of ours (own-header.ts); if one had, ours would stand.
  return { headers: { ...own, ...ours }, ...(clientCertificate === undefined ? {} : { clientCertificate }) };
}

/** Whether keys are worth remembering: an organization that has none may get its first in the next second. */
export function isNotEmpty(keys: readonly SigningKey[]): boolean {
  return keys.length > 0;
}

function timestampOf({ nowMs }: Unsigned): string {
  return String(Math.floor(nowMs / 1000));
}

async function hmacHeader({ readSecret }: PreparePorts, endpoint: Endpoint, unsigned: Unsigned) {
  const { webhookId, body, nowMs } = unsigned;
  const name = { ...ownerOf(endpoint), part: 'signing' as const };
  const secrets = await Promise.all(liveVersions(endpoint, nowMs).map((id) => readSecret(name, id)));
  const signable = { webhookId, body, timestamp: timestampOf(unsigned) };
  return { 'webhook-signature': signHmac(signable, secrets.map(keyOf)) };
}

async function jwtHeader(ports: PreparePorts, endpoint: Endpoint, unsigned: Unsigned) {
  const key = activeKey(await ports.readSigningKeys(endpoint.organizationId), unsigned.nowMs);
  if (key === undefined) throw new Error('the organization has no signing key');
  const { webhookId, body, attemptId } = unsigned;
  const token = await signJwt(ports.signDigest, key, {
    issuer: ports.issuer,
    audience: endpoint.id,
    timestamp: timestampOf(unsigned),
    ...{ webhookId, body, attemptId },
  });
  return { 'webhook-jwt': token };
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
