import { readableText } from './body.ts';
import type { CertificateFacts } from './phases.ts';

/** The part of Node's `PeerCertificate` that is read here; all absent before a certificate has come. */
export interface PresentedCertificate {
  readonly subject?: Names;
  readonly issuer?: Names;
  readonly valid_from?: string;
  readonly valid_to?: string;
}

type Names = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a person needs to find the certificate: whose, by whom, until when. The receiver wrote it: untrusted. */
export function describeCertificate(
  certificate: PresentedCertificate,
  nowMs: number,
): CertificateFacts | undefined {
  if (certificate.valid_to === undefined) return undefined;
  const validFrom = new Date(certificate.valid_from ?? '');
  const validTo = new Date(certificate.valid_to);
  return {
    subject: toText(certificate.subject),
    issuer: toText(certificate.issuer),
    validTo: Number.isNaN(validTo.getTime()) ? '' : validTo.toISOString(),
    isOutOfDate: !(validFrom.getTime() <= nowMs && nowMs <= validTo.getTime()),
  };
}

/**
 * Whether a certificate's subject alternative names (as Node writes them: `DNS:a.example, IP Address:192.0.2.1`)
 * have one of the kind that is needed. Whether it is the right one is for `tls.checkServerIdentity` to say.
 * Source: RFC 9525, 6.3: the common name is not looked at.
 */
export function hasNameFor(target: { readonly address?: string }, alternativeNames = ''): boolean {
  return (target.address === undefined ? /(?:^|, )DNS:/ : /(?:^|, )IP Address:/).test(alternativeNames);
}

/** A distinguished name can be kilobytes long; it is kept with every attempt. */
const nameLengthMax = 256;

function toText(names: Names = {}): string {
  const parts = Object.entries(names).map(([kind, value]) => `${kind}=${[value].flat().join('+')}`);
  return readableText(new TextEncoder().encode(parts.join(', '))).slice(0, nameLengthMax);
}
