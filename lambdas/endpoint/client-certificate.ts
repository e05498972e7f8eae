import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { allNow, InvalidRequest, readOrKeep, throwAll } from '../shared/errors.ts';
import { isoTime, shownTime } from '../shared/time.ts';
import { faultOfLoading } from './load-certificate.ts';

/** What an administrator uploads, both in PEM; the key never comes back. */
export const uploadedCertificate = z
  .strictObject({
    /** The client's certificate first, then those that signed it. */
    certificate: z.string().min(1).max(32_768),
    privateKey: z.string().min(1).max(16_384),
  })
  .meta({ id: 'NewClientCertificate' });

/** What is known of an endpoint's client certificate. */
export const clientCertificate = z.object({
  versionId: z.string(),
  subject: z.string(),
  issuer: z.string(),
  serialNumber: z.string(),
  fingerprintSha256: z.string(),
  notBefore: shownTime,
  notAfter: shownTime,
});

/** What is shown of it. */
export const shownCertificate = clientCertificate.omit({ versionId: true }).meta({ id: 'ClientCertificate' });

export type CertificateFacts = z.output<typeof shownCertificate>;

/** What is kept in Secrets Manager, as JSON. */
export const certificateSecret = z.object({ certificate: z.string(), privateKey: z.string() });

/**
 * Reads an uploaded certificate and its key.
 *
 * @throws InvalidRequest when one cannot be read, they do not belong together, the chain is out of order, a certificate
 * is not valid at this moment, too weak, of a kind of key that TLS has no use for or not for clients, or OpenSSL does not load them.
 */
export function readCertificate(
  uploaded: z.output<typeof uploadedCertificate>,
  nowMs: number,
): CertificateFacts {
  const refusals: InvalidRequest[] = [];
  const chain = readOrKeep(refusals, () => readChain(uploaded.certificate));
  const key = readOrKeep(refusals, () => readKey(uploaded.privateKey));
  if (chain !== undefined)
    readOrKeep(refusals, () => {
      judgeChain(chain, key, nowMs);
    });
  throwAll(refusals);
  if (chain === undefined) throw refusal('certificate', 'This is not a certificate in PEM.');
  // What is wrong by a rule of ours has a better sentence than OpenSSL has for it.
  refuseUnloadable(uploaded);
  return factsOf(chain);
}

/** Certificates, the client's own first. */
type Chain = readonly [X509Certificate, ...X509Certificate[]];

function factsOf([leaf]: Chain): CertificateFacts {
  return {
    subject: leaf.subject.replaceAll('\n', ', '),
    issuer: leaf.issuer.replaceAll('\n', ', '),
    serialNumber: leaf.serialNumber,
    fingerprintSha256: leaf.fingerprint256,
    notBefore: isoTime(leaf.validFromDate.getTime()),
    notAfter: isoTime(leaf.validToDate.getTime()),
  };
}

/**
 * @param key nothing when it cannot be read, which is told apart
 * @throws InvalidRequest with all that is wrong
 */
function judgeChain(chain: Chain, key: KeyObject | undefined, nowMs: number): void {
  const [leaf] = chain;
  allNow(
    () => {
      if (key === undefined || leaf.checkPrivateKey(key)) return;
      throw refusal('privateKey', 'The key does not belong to the first certificate.');
    },
    () => {
      if (!isForTls(leaf.publicKey)) throw refusal('certificate', unfit);
      const bits = leaf.publicKey.asymmetricKeyDetails?.modulusLength;
      // OpenSSL of today takes 1,024 bits, and that of tomorrow does not.
      const isShort = bits !== undefined && bits < 2_048;
      if (isShort || chain.some(isWeaklySigned)) throw refusal('certificate', weak);
    },
    () => {
      refuseDisorder(chain);
    },
    ...chain.map((one, index) => () => {
      refuseOutOfDate(one, { isLeaf: index === 0, nowMs });
    }),
    () => {
      refuseUsage(leaf);
    },
  );
}

/**
 * OpenSSL loads any key, and in the handshake sends no certificate at all if TLS has no signature for its kind: the
 * receiver would be said to have got none. Source: RFC 8446, section 4.2.3.
 */
function isForTls({ asymmetricKeyType: kind, asymmetricKeyDetails }: KeyObject): boolean {
  return kind === 'ec' ? curves.has(asymmetricKeyDetails?.namedCurve ?? '') : kinds.has(kind ?? '');
}

const kinds = new Set(['rsa', 'rsa-pss', 'ed25519', 'ed448']);
const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

function refuseDisorder(chain: Chain): void {
  const isOrdered = chain.every((one, index) => {
    const next = chain[index + 1];
    return next === undefined || one.checkIssued(next);
  });
  if (!isOrdered)
    throw refusal('certificate', 'Each certificate must be followed by the one that signed it.');
}

/**
 * Loading does not show it: OpenSSL refuses such a signature only when a receiver verifies the chain. A root's own
 * signature proves nothing, and is never verified.
 */
function isWeaklySigned(one: X509Certificate, index: number): boolean {
  const isRoot = index > 0 && one.checkIssued(one);
  return !isRoot && /md[245]|sha-?1(?!\d)/i.test(one.signatureAlgorithm ?? '');
}

function refuseOutOfDate(
  { validFromDate, validToDate }: X509Certificate,
  { isLeaf, nowMs }: { isLeaf: boolean; nowMs: number },
): void {
  const which = isLeaf ? 'The certificate' : 'A certificate of the chain';
  if (validToDate.getTime() <= nowMs) throw refusal('certificate', `${which} has expired.`);
  if (validFromDate.getTime() > nowMs) throw refusal('certificate', `${which} is not valid yet.`);
}

/** `clientAuth`, and any usage (RFC 5280, section 4.2.1.12). */
const usages = new Set(['1.3.6.1.5.5.7.3.2', '2.5.29.37.0']);

/** Node calls the extended key usage so; without the extension there is none, whatever its types say. */
interface Usage {
  readonly keyUsage?: readonly string[] | undefined;
}

/** What says for whom it may be used must name clients: receivers refuse it otherwise, each in words of its own. */
function refuseUsage({ keyUsage }: Usage): void {
  if (keyUsage === undefined || keyUsage.some((usage) => usages.has(usage))) return;
  throw refusal(
    'certificate',
    'The certificate is not for TLS clients: its extended key usage lacks clientAuth.',
  );
}

/** What OpenSSL refuses would fail every delivery. */
function refuseUnloadable({ certificate, privateKey }: z.output<typeof uploadedCertificate>): void {
  const code = faultOfLoading(certificate, privateKey);
  if (code === undefined) return;
  const sentence = /TOO_(SMALL|WEAK)/.test(code)
    ? weak
    : 'TLS cannot use this certificate with this key: give both in PEM, as the authority has issued them.';
  throw refusal('certificate', sentence);
}

const unfit =
  'TLS cannot use a key of this kind: use RSA of 2048 bits, P-256, P-384, P-521, Ed25519 or Ed448.';
const weak =
  'The key is too short, or a signature too weak, for TLS: use RSA of 2048 bits or P-256, signed with SHA-256.';

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function readChain(text: string): Chain {
  const blocks = text.match(pemBlock) ?? [];
  if (blocks.length > 10) throw refusal('certificate', 'A chain may have ten certificates.');
  const [leaf, ...others] = blocks.map(readOne);
  if (leaf === undefined) throw refusal('certificate', 'There is no PEM certificate in this text.');
  return [leaf, ...others];
}

function readOne(block: string): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch {
    throw refusal('certificate', 'This is not a certificate in PEM.');
  }
}

function readKey(text: string): KeyObject {
  if (text.includes('ENCRYPTED'))
    throw refusal('privateKey', 'The key is encrypted: upload it without a passphrase.');
  try {
    return createPrivateKey(text);
  } catch {
    throw refusal('privateKey', 'This is not a private key in PEM.');
  }
}

function refusal(field: string, message: string): InvalidRequest {
  return new InvalidRequest('invalid_certificate', message, field);
}
