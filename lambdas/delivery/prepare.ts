import { certificateSecret } from '../endpoint/client-certificate.ts';
import { liveVersions } from '../endpoint/endpoint.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { OwnHeader } from '../endpoint/own-header.ts';
import { version } from '../shared/version.ts';
import { signHmac } from '../signing/hmac.ts';
import { keyOf } from '../signing/secret.ts';
import type { ReadSecret } from '../signing/secret.ts';
import type { PostRequest } from './answer.ts';

export interface PreparePorts {
  readonly readSecret: ReadSecret;
}

/** What an attempt sends; its time is the attempt's own. */
export interface Unsigned {
  readonly webhookId: string;
  readonly body: Uint8Array;
  readonly nowMs: number;
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
    sign(ports, endpoint, unsigned),
    clientCertificateOf(ports, endpoint),
  ]);
  const ours = {
    'content-type': 'application/json',
    'user-agent': `Tidings/${version}`,
    'webhook-id': unsigned.webhookId,
    'webhook-timestamp': timestampOf(unsigned),
    'webhook-signature': signature,
  };
  // None of the endpoint's own has a name of ours (own-header.ts); if one had, ours would stand.
  return { headers: { ...own, ...ours }, ...(clientCertificate === undefined ? {} : { clientCertificate }) };
}

function timestampOf({ nowMs }: Unsigned): string {
  return String(Math.floor(nowMs / 1000));
}

async function sign({ readSecret }: PreparePorts, endpoint: Endpoint, unsigned: Unsigned): Promise<string> {
  const { webhookId, body, nowMs } = unsigned;
  const name = { ...ownerOf(endpoint), part: 'signing' as const };
  const secrets = await Promise.all(liveVersions(endpoint, nowMs).map((id) => readSecret(name, id)));
  return signHmac({ webhookId, timestamp: timestampOf(unsigned), body }, secrets.map(keyOf));
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
