import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { InvalidRequest } from '../shared/errors.ts';
import { isoTime } from '../shared/time.ts';

/** What an administrator uploads, both in PEM; the key never comes back. */
export const uploadedCertificate = z.strictObject({
  /** The client's certificate first, then those that signed it. */
  certificate: z.string().min(1).max(32_768),
  privateKey: z.string().min(1).max(16_384),
});

/** What is known of an endpoint's client certificate. */
export const clientCertificate = z.object({
  versionId: z.string(),
  subject: z.string(),
  issuer: z.string(),
  serialNumber: z.string(),
  fingerprintSha256: z.string(),
  notBefore: z.string(),
  notAfter: z.string(),
});

/** What is shown of it. */
export const shownCertificate = clientCertificate.omit({ versionId: true });

export type CertificateFacts = z.output<typeof shownCertificate>;

/** What is kept in Secrets Manager, as JSON. */
export const certificateSecret = z.object({ certificate: z.string(), privateKey: z.string() });

/**
 * Reads an uploaded certificate and its key.
 *
 * @throws InvalidRequest when one cannot be read, they do not belong together, the chain is out of order, or the
 * certificate is not valid at this moment.
 */
export function readCertificate(
  uploaded: z.output<typeof uploadedCertificate>,
  nowMs: number,
): CertificateFacts {
  const chain = readChain(uploaded.certificate);
  const [leaf] = chain;
  if (leaf === undefined) throw refusal('certificate', 'There is no PEM certificate in this text.');
  if (!leaf.checkPrivateKey(readKey(uploaded.privateKey))) {
    throw refusal('privateKey', 'The key does not belong to the first certificate.');
  }
  const isOrdered = chain.every((one, index) => {
    const next = chain[index + 1];
    return next === undefined || one.checkIssued(next);
  });
  if (!isOrdered)
    throw refusal('certificate', 'Each certificate must be followed by the one that signed it.');
  if (leaf.validToDate.getTime() <= nowMs) throw refusal('certificate', 'The certificate has expired.');
  if (leaf.validFromDate.getTime() > nowMs) throw refusal('certificate', 'The certificate is not valid yet.');
  return {
    subject: leaf.subject.replaceAll('\n', ', '),
    issuer: leaf.issuer.replaceAll('\n', ', '),
    serialNumber: leaf.serialNumber,
    fingerprintSha256: leaf.fingerprint256,
    notBefore: isoTime(leaf.validFromDate.getTime()),
    notAfter: isoTime(leaf.validToDate.getTime()),
  };
}

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function readChain(text: string): X509Certificate[] {
  const blocks = text.match(pemBlock) ?? [];
  if (blocks.length > 10) throw refusal('certificate', 'A chain may have ten certificates.');
  try {
    return blocks.map((block) => new X509Certificate(block));
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
