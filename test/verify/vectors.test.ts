import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  sign,
  timingSafeEqual,
  verify as verifyRaw,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { importKey, isSignedBy } from '../../verify/jwk.ts';
import { verify, verifySignature } from '../../verify/verify.ts';
import { outcomeOf } from './a-webhook.ts';

const text = readFileSync(new URL('../data/vectors.json', import.meta.url), 'utf8');
const anyVector = z.looseObject({ id: z.string(), scheme: z.string(), expect: z.string() });
const file = z
  .object({
    _counts: z.object({ vectors: z.number() }),
    _keys_rfc9421: z.record(z.string(), z.record(z.string(), z.string())),
    vectors: z.array(anyVector),
  })
  .parse(JSON.parse(text));

/** By scheme: verified by this package, or why it is not its business. Those are proved with node:crypto below. */
const notApplicable: Readonly<Record<string, string>> = {
  'standard-webhooks-v1a': 'Tidings does not offer Ed25519; such entries are passed over',
  rfc9421: 'HTTP message signatures are a later option; the schemes are hmac and jwt',
  rfc9530: 'no Content-Digest is sent; body_sha256 is the same hash in base64url',
  ed25519: 'no scheme uses Ed25519',
  ed25519ph: 'no scheme uses Ed25519, and it must not pass for pure Ed25519',
  'hmac-sha256':
    'the bare primitive: what is signed is always id.timestamp.body, and keys have 24 bytes or more',
  'github-hmac': 'another sender: no id, no timestamp',
  'slack-hmac': 'another sender: other headers, key in text',
  'ecdsa-p256-sha256-der': 'another sender: DER and own headers; ours is JOSE in a JWT',
  'ecdsa-p256-sha256-der over timestamp||rawBody': 'another sender, as above',
};
const applicable = ['standard-webhooks-v1', 'jws'];

describe('the list of vectors', () => {
  it('is whole: each is verified here, or is named with the reason why this package does not', () => {
    expect(file.vectors).toHaveLength(file._counts.vectors);
    const schemes = [...new Set(file.vectors.map(({ scheme }) => scheme))].sort();
    expect(schemes).toEqual([...applicable, ...Object.keys(notApplicable)].sort());
    expect(proofs.map(([id]) => id).sort()).toEqual(
      file.vectors
        .filter(({ scheme }) => scheme in notApplicable)
        .map(({ id }) => id)
        .sort(),
    );
  });
});

const standardVector = z.object({
  id: z.string(),
  secret: z.string(),
  webhook_id: z.string(),
  webhook_timestamp: z.number(),
  payload: z.string(),
  webhook_signature: z.string(),
  expect: z.string(),
});
const ofStandard = file.vectors.filter(({ scheme }) => scheme === 'standard-webhooks-v1');
const signed = ofStandard
  .filter((vector) => 'payload' in vector)
  .map((vector) => standardVector.parse(vector));

function requestOf(vector: z.output<typeof standardVector>) {
  return {
    body: vector.payload,
    headers: {
      'webhook-id': vector.webhook_id,
      'webhook-timestamp': String(vector.webhook_timestamp),
      'webhook-signature': vector.webhook_signature,
    },
  };
}

describe('Standard Webhooks v1', () => {
  it('has nine signed vectors', () => {
    expect(signed).toHaveLength(9);
  });

  it.each(signed)('$id: $expect', async (vector) => {
    const options = { secret: vector.secret, now: () => vector.webhook_timestamp * 1000 };
    const isValid = vector.expect.startsWith('valid');
    expect(await outcomeOf(verifySignature(requestOf(vector), options))).toBe(
      isValid ? 'ok' : 'signature_mismatch',
    );
    // Their bodies are not events of Tidings, which is seen after the signature and never before.
    expect(await outcomeOf(verify(requestOf(vector), options))).toBe(
      isValid ? 'not_an_event' : 'signature_mismatch',
    );
  });

  it.each(['', 'whsec_'])('sw-secret-empty: %j is no secret', async (secret) => {
    const vector = z
      .object({ secrets_must_be_rejected: z.array(z.string()) })
      .parse(vectorOf('sw-secret-empty'));
    expect(vector.secrets_must_be_rejected).toEqual(['', 'whsec_']);
    const request = requestOf(standardVector.parse(vectorOf('sw-v1-1')));
    expect(await outcomeOf(verify(request, { secret }))).toBe('invalid_options');
  });
});

const jwsVector = z.object({
  id: z.string(),
  alg: z.string(),
  jwk: z.record(z.string(), z.string()),
  compact: z.string(),
  detached_payload_utf8: z.string().optional(),
});
const ofJws = file.vectors.filter(({ scheme }) => scheme === 'jws').map((vector) => jwsVector.parse(vector));

describe('JWS', () => {
  it.each(ofJws.filter(({ alg }) => alg === 'ES256'))(
    '$id: the signature is verified',
    ({ jwk, compact }) => {
      const [header = '', claims = '', signature = ''] = compact.split('.');
      const key = importKey(jwk);
      expect(key.algorithm).toBe('ES256');
      const bytes = Buffer.from(signature, 'base64url');
      expect(isSignedBy(key, `${header}.${claims}`, bytes)).toBe(true);
      expect(isSignedBy(key, `${header}.${claims}A`, bytes)).toBe(false);
    },
  );

  // Right by their own RFCs, and still no webhook: other algorithms are refused, and a bare JWS is no webhook+jwt.
  it.each(ofJws)('$id ($alg): is refused as a webhook, with its own key published', async (vector) => {
    const headers = { 'webhook-id': 'a', 'webhook-timestamp': '1300819380', 'webhook-jwt': vector.compact };
    const jwks = { keys: [{ kid: 'k', ...vector.jwk }] };
    const outcome = await outcomeOf(verify({ body: '', headers }, { jwks, audience: 'ep_1' }));
    expect(outcome).toBe(vector.alg === 'ES256' ? 'wrong_type' : 'algorithm_not_allowed');
  });

  it.each(ofJws.filter(({ alg }) => alg === 'HS256'))('$id: the data is right (node:crypto)', (vector) => {
    const [header = '', claims = '', signature = ''] = vector.compact.split('.');
    const key = Buffer.from(vector.jwk['k'] ?? '', 'base64url');
    const mac = createHmac('sha256', key).update(`${header}.${vector.detached_payload_utf8 ?? claims}`);
    expect(mac.digest('base64url')).toBe(signature);
  });

  it.each(ofJws.filter(({ alg }) => alg === 'EdDSA'))('$id: the data is right (node:crypto)', (vector) => {
    const [header = '', claims = '', signature = ''] = vector.compact.split('.');
    const key = createPublicKey({ key: vector.jwk, format: 'jwk' });
    const input = Buffer.from(`${header}.${claims}`);
    expect(verifyRaw(null, input, key, Buffer.from(signature, 'base64url'))).toBe(true);
    expect(() => importKey(vector.jwk)).toThrow();
  });
});

/** Every vector that is not this package's business, proved with node:crypto: the data is right. */
const proofs: [id: string, prove: (member: (name: string) => string) => boolean][] = [
  ['sw-v1a-1', provesV1a],
  ['rfc9421-b.2.1', provesPss],
  [
    'rfc9421-b.2.5',
    (member) =>
      isSame(
        createHmac('sha256', keyOf9421('test-shared-secret', 'k_base64'))
          .update(member('signature_base'))
          .digest(),
        Buffer.from(member('signature'), 'base64'),
      ),
  ],
  ['rfc9421-test-request-digest', provesDigest],
  ['rfc9530-1', provesDigest],
  ['rfc9530-empty', provesDigest],
  ['rfc8032-1', provesEd25519],
  ['rfc8032-2', provesEd25519],
  // Expected invalid as pure Ed25519.
  ['rfc8032-ed25519ph-abc', (member) => !provesEd25519(member)],
  ['rfc4231-1', provesHmac],
  ['rfc4231-2', provesHmac],
  ['rfc4231-3', provesHmac],
  [
    'github-x-hub-signature-256',
    (member) =>
      `sha256=${createHmac('sha256', member('secret')).update(member('payload')).digest('hex')}` ===
      member('signature'),
  ],
  [
    'slack-v0',
    (member) =>
      `v0=${createHmac('sha256', member('secret'))
        .update(`v0:${member('timestamp')}:${member('body')}`)
        .digest('hex')}` === member('signature'),
  ],
  [
    'github-secret-scanning-ecdsa',
    (member) =>
      verifyRaw(
        'sha256',
        Buffer.from(member('payload')),
        member('public_key_pem'),
        Buffer.from(member('signature_base64_der'), 'base64'),
      ),
  ],
  ['sendgrid-event-webhook-2020', provesSendgrid],
];

describe('vectors of other schemes are right (node:crypto)', () => {
  it.each(proofs)('%s', (id, prove) => {
    const vector = vectorOf(id);
    expect(prove((name) => z.coerce.string().parse(vector[name]))).toBe(true);
  });
});

type Member = (name: string) => string;

function provesV1a(member: Member): boolean {
  const [, base64 = ''] = member('public_key').split('_');
  const secretKey = Buffer.from(member('secret_key').split('_')[1] ?? '', 'base64');
  const input = Buffer.from(`${member('webhook_id')}.${member('webhook_timestamp')}.${member('payload')}`);
  const signature = Buffer.from(member('webhook_signature').replace('v1a,', ''), 'base64');
  const key = ed25519(Buffer.from(base64, 'base64'));
  const d = secretKey.subarray(0, 32).toString('base64url');
  const x = secretKey.subarray(32).toString('base64url');
  const privateKey = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x }, format: 'jwk' });
  return verifyRaw(null, input, key, signature) && isSame(sign(null, input, privateKey), signature);
}

function provesPss(member: Member): boolean {
  const { n, e } = z.object({ n: z.string(), e: z.string() }).parse(file._keys_rfc9421[member('keyid')]);
  const key = createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' });
  const signature = Buffer.from(member('signature'), 'base64');
  // RSA_PKCS1_PSS_PADDING is 6; the salt is as long as the hash.
  return verifyRaw(
    'sha512',
    Buffer.from(member('signature_base')),
    { key, padding: 6, saltLength: 64 },
    signature,
  );
}

function provesDigest(member: Member): boolean {
  const [, name = '', digest = ''] = /^(sha-\d+)=:(.+):$/.exec(member('content_digest')) ?? [];
  return createHash(name.replace('-', '')).update(member('body')).digest('base64') === digest;
}

function provesEd25519(member: Member): boolean {
  const signature = Buffer.from(member('signature_hex'), 'hex');
  const key = ed25519(Buffer.from(member('public_key_hex'), 'hex'));
  return verifyRaw(null, Buffer.from(member('message_hex'), 'hex'), key, signature);
}

function provesHmac(member: Member): boolean {
  const mac = createHmac('sha256', Buffer.from(member('key_hex'), 'hex'));
  return mac.update(Buffer.from(member('data_hex'), 'hex')).digest('hex') === member('mac_hex');
}

function provesSendgrid(member: Member): boolean {
  const spki = Buffer.from(member('public_key_base64_spki'), 'base64');
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const signature = Buffer.from(member('signature_base64_der'), 'base64');
  const input = Buffer.from(`${member('timestamp')}${member('payload')}`);
  return verifyRaw('sha256', input, key, signature);
}

function ed25519(publicKey: Uint8Array) {
  const x = Buffer.from(publicKey).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

function keyOf9421(name: string, member: string): Uint8Array {
  return Buffer.from(file._keys_rfc9421[name]?.[member] ?? '', 'base64');
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function vectorOf(id: string): z.output<typeof anyVector> {
  const vector = file.vectors.find((one) => one.id === id);
  if (vector === undefined) throw new Error(`there is no vector ${id}`);
  return vector;
}
