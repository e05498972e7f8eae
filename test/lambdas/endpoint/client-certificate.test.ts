import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NotWritten } from '../../../lambdas/shared/errors.ts';
import { readCertificate } from '../../../lambdas/endpoint/client-certificate.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aService, memorySecretStore } from '../api/a-service.ts';
import { failingSecrets } from './failing-secrets.ts';
import type { Service } from '../api/a-service.ts';
import { anAuthority } from '../request/certificates.ts';
import type { Authority, Identity } from '../request/certificates.ts';
import { fitForTls, unfitForTls } from './keys-of-all-kinds.ts';
import { signedWithMd5 } from './signed-with-md5.ts';

const endpointId = endpointIdOf('one');
const path = `/v1/organizations/org_1/endpoints/${endpointId}/client-certificate`;
const long = { validFromDays: -3_650, validToDays: 3_650 };
const authority = await anAuthority();
const one = await authority.issue({ ...long, commonName: 'one' });
const two = await authority.issue({ ...long, commonName: 'two' });
const uploaded = { certificate: one.certificate, privateKey: one.key };

describe('a certificate and its key', () => {
  it('are known by whose they are, by whom, and until when', () => {
    const { fingerprint256, serialNumber, validToDate } = new X509Certificate(one.certificate);
    expect(readCertificate(uploaded, testStartMs)).toMatchObject({
      subject: 'CN=one',
      issuer: 'CN=Test authority',
      fingerprintSha256: fingerprint256,
      serialNumber,
      notAfter: validToDate.toISOString(),
    });
  });

  it('may come with the chain, in order, and with text around them', () => {
    const certificate = `subject: one\n${one.certificate}\n\n${authority.certificate}\n`;
    expect(readCertificate({ ...uploaded, certificate }, testStartMs)).toMatchObject({ subject: 'CN=one' });
  });

  const encrypted = createPrivateKey(one.key)
    .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'planted' })
    .toString();

  it.each<[string, Partial<typeof uploaded>, string]>([
    ['another certificate’s key', { privateKey: two.key }, 'privateKey'],
    ['no key', { privateKey: 'planted' }, 'privateKey'],
    ['an encrypted key', { privateKey: encrypted }, 'privateKey'],
    ['a certificate for a key', { privateKey: one.certificate }, 'privateKey'],
    ['no certificate', { certificate: 'planted' }, 'certificate'],
    ['a key for a certificate', { certificate: one.key }, 'certificate'],
    [
      'a damaged certificate',
      { certificate: one.certificate.replace(/\n.{20}/, '\nplanted') },
      'certificate',
    ],
    ['a chain of strangers', { certificate: `${one.certificate}\n${two.certificate}` }, 'certificate'],
    ['a chain upside down', { certificate: `${authority.certificate}\n${one.certificate}` }, 'privateKey'],
    ['eleven certificates', { certificate: `${one.certificate}\n`.repeat(11) }, 'certificate'],
  ])('with %s are refused, and not quoted', (_what, change, field) => {
    const read = () => readCertificate({ ...uploaded, ...change }, testStartMs);
    expect(read).toThrow(expect.objectContaining({ code: 'invalid_certificate', field }) as Error);
    expect(read).not.toThrow(/planted/);
  });

  it.each([
    ['a key of 1,024 bits', { rsaBits: 1_024 }, /too short/],
    ['a signature with SHA-1', { hash: 'SHA-1' as const }, /signature too weak/],
    ['a usage for servers alone', { usages: ['1.3.6.1.5.5.7.3.1'] }, /clientAuth/],
  ])('with %s are refused when they come, and not by the receiver', async (_what, wish, sentence) => {
    const weak = await authority.issue({ ...long, ...wish });
    const read = () => readCertificate({ certificate: weak.certificate, privateKey: weak.key }, testStartMs);
    expect(read).toThrow(
      expect.objectContaining({ code: 'invalid_certificate', field: 'certificate' }) as Error,
    );
    expect(read).toThrow(sentence);
  });

  it('signed with MD5 are refused, too', () => {
    const { certificate, key: privateKey } = signedWithMd5;
    const read = () => readCertificate({ certificate, privateKey }, Date.parse('2027-01-01T00:00:00Z'));
    expect(read).toThrow(/signature too weak/);
  });

  const later = Date.parse('2027-01-01T00:00:00Z');
  it.each(Object.entries(unfitForTls))(
    'with a key of %s are refused: TLS would send none, and its owner be told to upload one',
    (_kind, { certificate, key: privateKey }) => {
      const read = () => readCertificate({ certificate, privateKey }, later);
      expect(read).toThrow('TLS cannot use a key of this kind');
    },
  );

  it.each(Object.entries(fitForTls))(
    'with a key of %s are taken',
    (_kind, { certificate, key: privateKey }) => {
      expect(readCertificate({ certificate, privateKey }, later)).toHaveProperty('subject');
    },
  );

  it('are refused with an intermediate that is signed with SHA-1, and taken with such a root', async () => {
    const root = await anAuthority('Old root', { hash: 'SHA-1' });
    const between = await root.intermediate({ ...long, hash: 'SHA-1' });
    const read = (leaf: Identity, above: Authority) => {
      const certificate = `${leaf.certificate}\n${above.certificate}`;
      return readCertificate({ certificate, privateKey: leaf.key }, testStartMs);
    };
    const [belowBetween, belowRoot] = [await between.issue(long), await root.issue(long)];
    expect(() => read(belowBetween, between)).toThrow(/signature too weak/);
    expect(read(belowRoot, root)).toMatchObject({ issuer: 'CN=Old root' });
  });

  it.each([
    ['RSA of 2,048 bits', { rsaBits: 2_048 }],
    ['a usage for clients among others', { usages: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] }],
    ['any usage', { usages: ['2.5.29.37.0'] }],
  ])('with %s are taken', async (_what, wish) => {
    const good = await authority.issue({ ...long, commonName: 'good', ...wish });
    const facts = readCertificate({ certificate: good.certificate, privateKey: good.key }, testStartMs);
    expect(facts).toMatchObject({ subject: 'CN=good' });
  });

  it('are told all that is wrong with them at once', async () => {
    const short = await authority.issue({ ...long, rsaBits: 1_024, usages: ['1.3.6.1.5.5.7.3.1'] });
    const { validToDate } = new X509Certificate(short.certificate);
    const read = () =>
      readCertificate({ certificate: short.certificate, privateKey: two.key }, validToDate.getTime());
    expect(read).toThrow(
      expect.objectContaining({
        faults: [
          { field: 'privateKey', detail: 'The key does not belong to the first certificate.' },
          { field: 'certificate', detail: expect.stringContaining('too short') as string },
          { field: 'certificate', detail: 'The certificate has expired.' },
          { field: 'certificate', detail: expect.stringContaining('lacks clientAuth') as string },
        ].map((fault) => ({ ...fault, code: 'invalid_certificate' })),
      }) as Error,
    );
  });

  it('that Node can read and OpenSSL does not load are refused', () => {
    // A block of another kind before the first certificate, which a reader of blocks passes over.
    const certificate = `-----BEGIN CERTIFICATE-----\nplanted\n-----END X-----\n${one.certificate}`;
    const read = () => readCertificate({ ...uploaded, certificate }, testStartMs);
    expect(read).toThrow(expect.objectContaining({ field: 'certificate' }) as Error);
    expect(read).not.toThrow(/planted|ERR_|PEM routines/);
  });

  it('are refused before and after their time, to the millisecond', () => {
    const { validFromDate, validToDate } = new X509Certificate(one.certificate);
    const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
    expect(() => readCertificate(uploaded, from - 1)).toThrow('not valid yet');
    expect(() => readCertificate(uploaded, to)).toThrow('expired');
    expect(readCertificate(uploaded, from)).toEqual(readCertificate(uploaded, to - 1));
  });
});

describe('the client certificate of an endpoint', () => {
  it('comes back without its key, which stands in no table and no log line', async () => {
    const service = aWorld();
    const put = await service.ask({ method: 'PUT', path, body: uploaded });
    const got = await service.ask({ path });
    expect(JSON.parse(got.body)).toEqual(JSON.parse(put.body));
    const stored = await service.configuration.endpoints.get('org_1', endpointIdOf('one'));
    const middle = one.key.split('\n')[1] ?? '';
    expect(JSON.stringify([put, got, stored, service.lines])).not.toContain(middle);
    expect(keptIn(service)).toEqual([JSON.stringify(uploaded)]);
  });

  it('that is replaced leaves one key behind, and that is removed none', async () => {
    const service = aWorld();
    await service.ask({ method: 'PUT', path, body: uploaded });
    const other = { certificate: two.certificate, privateKey: two.key };
    await service.ask({ method: 'PUT', path, body: other });
    expect(keptIn(service)).toEqual([JSON.stringify(other)]);
    expect(await service.ask({ method: 'DELETE', path })).toMatchObject({ statusCode: 204 });
    expect(keptIn(service)).toEqual([]);
    expect(await service.ask({ path })).toMatchObject({ statusCode: 404 });
    expect(await service.ask({ method: 'DELETE', path })).toMatchObject({ statusCode: 404 });
  });

  it('whose removal was cut off is destroyed by the next one', async () => {
    const { failing } = failingSecrets('remove', 1);
    const service = aWorld(memoryConfiguration(), failing);
    await service.ask({ method: 'PUT', path, body: uploaded });
    expect(await service.ask({ method: 'DELETE', path })).toMatchObject({ statusCode: 500 });
    expect(keptIn(service)).toHaveLength(1);
    expect(await service.ask({ method: 'DELETE', path })).toMatchObject({ statusCode: 404 });
    expect(keptIn(service)).toEqual([]);
  });

  it('whose removal was cut off is destroyed by the same call, with the same If-Match', async () => {
    const { failing } = failingSecrets('remove', 1);
    const service = aWorld(memoryConfiguration(), failing);
    const { headers } = await service.ask({ method: 'PUT', path, body: uploaded });
    const wish = { method: 'DELETE', path, ifMatch: headers['etag'] ?? '' } as const;
    expect(await service.ask(wish)).toMatchObject({ statusCode: 500 });
    expect(await service.ask(wish)).toMatchObject({ statusCode: 404 });
    expect(keptIn(service)).toEqual([]);
  });

  it('of a change that could not be written is not kept, unless that is not certain', async () => {
    const configuration = memoryConfiguration();
    const faults = [new NotWritten(new Error('the table is away')), new Error('nobody knows')];
    const replace = () => Promise.reject(faults.shift() ?? new Error('unexpected'));
    const service = aWorld({ ...configuration, endpoints: { ...configuration.endpoints, replace } });
    expect(await service.ask({ method: 'PUT', path, body: uploaded })).toMatchObject({ statusCode: 500 });
    expect(keptIn(service)).toEqual([]);
    expect(await service.ask({ method: 'PUT', path, body: uploaded })).toMatchObject({ statusCode: 500 });
    expect(keptIn(service)).toHaveLength(1);
  });

  it('of a change that lost a race is not kept', async () => {
    const configuration = memoryConfiguration();
    const replace = () => Promise.resolve(false);
    const service = aWorld({ ...configuration, endpoints: { ...configuration.endpoints, replace } });
    expect(await service.ask({ method: 'PUT', path, body: uploaded })).toMatchObject({ statusCode: 409 });
    expect(keptIn(service)).toEqual([]);
  });

  // Both were answered well; the certificate was shown, its key was gone, and every delivery was held for it.
  it('keeps its key when it is uploaded while the one before is being removed', async () => {
    const secrets = memorySecretStore();
    const removal = Promise.withResolvers<undefined>();
    const upload = Promise.withResolvers<Awaited<ReturnType<Service['ask']>>>();
    const remove: typeof secrets.remove = async () => {
      // The endpoint names no certificate any more. Somebody uploads one, and has put its key …
      upload.resolve(service.ask({ method: 'PUT', path, body: uploaded }));
      await removal.promise;
    };
    const put: typeof secrets.put = async (name, version) => {
      await secrets.put(name, version);
      // … when the secret is removed with all that is in it.
      await secrets.remove(name);
      Object.assign(overtaken, secrets);
      removal.resolve(undefined);
    };
    const overtaken = { ...secrets };
    const service = aWorld(memoryConfiguration(), overtaken);
    const other = { certificate: two.certificate, privateKey: two.key };
    await service.ask({ method: 'PUT', path, body: other });
    Object.assign(overtaken, { remove, put });
    expect(await service.ask({ method: 'DELETE', path })).toMatchObject({ statusCode: 204 });
    expect(await upload.promise).toMatchObject({ statusCode: 201 });
    const { clientCertificate } = (await service.configuration.endpoints.get('org_1', endpointId)) ?? {};
    const name = { organizationId: 'org_1', endpointId, part: 'client-certificate' as const };
    expect(await secrets.read(name, clientCertificate?.versionId ?? '')).toBe(JSON.stringify(uploaded));
  });

  // He was told that we have failed, and so tried again what he ought to have read again.
  it('that is removed while another is uploaded makes the upload lose the race, as any change does', async () => {
    const secrets = memorySecretStore();
    const overtaken = { ...secrets };
    const service = aWorld(memoryConfiguration(), overtaken);
    await service.ask({ method: 'PUT', path, body: uploaded });
    const put: typeof secrets.put = async (name, version) => {
      await secrets.put(name, version);
      await service.ask({ method: 'DELETE', path });
    };
    Object.assign(overtaken, { put });
    const other = { certificate: two.certificate, privateKey: two.key };
    const answer = await service.ask({ method: 'PUT', path, body: other });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 409, code: 'changed_meanwhile' });
    expect(keptIn(service)).toEqual([]);
  });
});

function keptIn({ secrets }: Service): string[] {
  return [...(secrets.secrets.get(`org_1/${endpointIdOf('one')}/client-certificate`)?.values() ?? [])];
}

function aWorld(configuration = memoryConfiguration(), secrets = memorySecretStore()): Service {
  const service = aService({ configuration, secrets });
  service.configuration.setOrganization(anOrganization());
  service.configuration.set(anEndpoint());
  return service;
}
