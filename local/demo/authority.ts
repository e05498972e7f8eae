import { randomUUID, webcrypto } from 'node:crypto';

// @peculiar/x509 refuses to load without a polyfill of decorator metadata, which it then does not use.
for (const name of ['getMetadata', 'getOwnMetadata', 'defineMetadata']) {
  if (!(name in Reflect)) Object.assign(Reflect, { [name]: () => undefined });
}
const x509 = await import('@peculiar/x509');

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 86_400_000;

/** A server's certificate, signed by an authority that exists for it alone. All in PEM. */
export interface ServerIdentity {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes an authority and one certificate for loopback; the authority's key is thrown away at once. */
export async function makeLoopbackIdentity(): Promise<ServerIdentity> {
  const [authorityKeys, serverKeys] = [await makeKeys(), await makeKeys()];
  const now = Date.now();
  const validity = { notBefore: new Date(now - dayMs), notAfter: new Date(now + 365 * dayMs) };
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    // A name of its own: of two with the same one, whoever trusts both may check by the wrong key.
    name: `CN=Tidings demo authority ${randomUUID()}`,
    keys: authorityKeys,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=Tidings demo receiver',
    issuer: authority.subject,
    publicKey: serverKeys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: algorithm,
    ...validity,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'ip', value: '127.0.0.1' },
        { type: 'dns', value: 'localhost' },
      ]),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', serverKeys.privateKey);
  return {
    authority: authority.toString('pem'),
    certificate: certificate.toString('pem'),
    key: x509.PemConverter.encode(key, 'PRIVATE KEY'),
  };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}
