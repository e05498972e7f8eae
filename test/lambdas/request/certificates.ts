import { webcrypto } from 'node:crypto';

// @peculiar/x509 asks for a polyfill of decorator metadata that it then does not use.
for (const name of ['getMetadata', 'getOwnMetadata', 'defineMetadata']) {
  if (!(name in Reflect)) Object.assign(Reflect, { [name]: () => undefined });
}
const x509 = await import('@peculiar/x509');

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' as const };
const dayMs = 24 * 60 * 60 * 1000;

export interface Identity {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface Wish {
  /** Subject alternative names; none at all when empty. */
  readonly names?: readonly string[];
  readonly commonName?: string;
  readonly validFromDays?: number;
  readonly validToDays?: number;
  /** Extended key usages. */
  readonly usages?: readonly string[];
  /** Of an RSA key; without it the key is P-256. */
  readonly rsaBits?: number;
  /** Of an intermediate: the only name, with those below it, that it may vouch for. */
  readonly permittedName?: string;
  /** That the authority signs with. */
  readonly hash?: 'SHA-1' | 'SHA-256';
}

export interface Authority {
  readonly certificate: string;
  readonly issue: (wish?: Wish) => Promise<Identity>;
  /** An authority that this one vouches for. */
  readonly intermediate: (wish?: Wish) => Promise<Authority>;
}

/** A certificate authority with a key of its own; what it issues is trusted by whoever trusts its certificate. */
export async function anAuthority(
  name = 'Test authority',
  { hash = algorithm.hash }: Pick<Wish, 'hash'> = {},
): Promise<Authority> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: { ...algorithm, hash },
    ...validity({ validFromDays: -3_650, validToDays: 3_650 }),
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return authorityOf(certificate, keys);
}

function authorityOf(
  certificate: InstanceType<typeof x509.X509Certificate>,
  keys: webcrypto.CryptoKeyPair,
): Authority {
  const by = { issuer: certificate.subject, signingKey: keys.privateKey, signingAlgorithm: algorithm };
  return {
    certificate: certificate.toString('pem'),
    issue: async (wish = {}) => {
      const own = await makeKeys(wish.rsaBits);
      const issued = await x509.X509CertificateGenerator.create({
        ...by,
        signingAlgorithm: { ...algorithm, hash: wish.hash ?? algorithm.hash },
        subject: `CN=${wish.commonName ?? 'receiver'}`,
        publicKey: own.publicKey,
        ...validity(wish),
        extensions: [
          ...alternativeNames(wish.names ?? ['receiver.localhost']),
          ...(wish.usages === undefined ? [] : [new x509.ExtendedKeyUsageExtension([...wish.usages])]),
        ],
      });
      return { certificate: issued.toString('pem'), key: await toPem(own.privateKey) };
    },
    intermediate: async (wish = {}) => {
      const own = await makeKeys();
      const issued = await x509.X509CertificateGenerator.create({
        ...by,
        signingAlgorithm: { ...algorithm, hash: wish.hash ?? algorithm.hash },
        subject: `CN=${wish.commonName ?? 'Intermediate'}`,
        publicKey: own.publicKey,
        ...validity(wish),
        extensions: [
          new x509.BasicConstraintsExtension(true, undefined, true),
          ...nameConstraints(wish.permittedName),
        ],
      });
      return authorityOf(issued, own);
    },
  };
}

export async function aSelfSigned(names: readonly string[]): Promise<Identity> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=self',
    keys,
    signingAlgorithm: algorithm,
    ...validity({}),
    extensions: alternativeNames(names),
  });
  return { certificate: certificate.toString('pem'), key: await toPem(keys.privateKey) };
}

async function makeKeys(rsaBits?: number): Promise<webcrypto.CryptoKeyPair> {
  if (rsaBits !== undefined) {
    const publicExponent = new Uint8Array([1, 0, 1]);
    const rsa = { name: 'RSASSA-PKCS1-v1_5', modulusLength: rsaBits, publicExponent, hash: 'SHA-256' };
    return await webcrypto.subtle.generateKey(rsa, true, ['sign', 'verify']);
  }
  return await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

async function toPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

function validity({ validFromDays = -1, validToDays = 30 }: Wish): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now + validFromDays * dayMs), notAfter: new Date(now + validToDays * dayMs) };
}

function alternativeNames(names: readonly string[]): InstanceType<typeof x509.Extension>[] {
  if (names.length === 0) return [];
  return [
    new x509.SubjectAlternativeNameExtension(
      names.map((value) => ({ type: /^[0-9.]+$|:/.test(value) ? 'ip' : 'dns', value })),
    ),
  ];
}

/** A list of permitted DNS names, of one. Source: RFC 5280, 4.2.1.10. */
function nameConstraints(permitted: string | undefined): InstanceType<typeof x509.Extension>[] {
  if (permitted === undefined) return [];
  const wrap = (tag: number, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from([tag, content.length]), content]);
  const subtree = wrap(0x30, wrap(0x82, Buffer.from(permitted)));
  return [new x509.Extension('2.5.29.30', true, wrap(0x30, wrap(0xa0, subtree)))];
}
