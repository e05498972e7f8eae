import { randomUUID } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ReadSecret, SecretName, SecretWriter } from '../../lambdas/signing/secret.ts';
import { makeReadSecret, makeSecretWriter } from '../../lambdas/signing/secrets.ts';
import { AwsError } from '../../local/aws/aws-error.ts';
import { startLocalAws } from '../../local/aws/aws.ts';
import type { LocalAws } from '../../local/aws/aws.ts';
import { endpointIdOf } from '../fakes/ids.ts';
import { memorySecrets } from '../fakes/secrets.ts';

const outage = { isOn: false, calls: 0 };
let aws: LocalAws;
let client: SecretsManagerClient;
beforeAll(async () => {
  aws = await startLocalAws({
    beforeCall: () => {
      outage.calls += 1;
      if (outage.isOn) throw new AwsError('InternalServiceError', 'An outage.', { status: 500 });
      return Promise.resolve();
    },
  });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new SecretsManagerClient({
    endpoint: aws.server.endpoint,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
  });
});
afterAll(() => aws.close());
beforeEach(() => {
  outage.isOn = false;
});

const keyArn = 'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-4000-8000-000000000000';
type Secrets = SecretWriter & { readonly readSecret: ReadSecret };
const stores: [string, () => Secrets][] = [
  ['memory', memorySecrets],
  [
    'Secrets Manager',
    () => ({
      ...makeSecretWriter(client, 'tidings/test', keyArn),
      readSecret: makeReadSecret(client, 'tidings/test'),
    }),
  ],
];
let tests = 0;

describe.each(stores)('secrets in %s', (kind, open) => {
  let secrets: Secrets;
  let name: SecretName;
  beforeEach(() => {
    secrets = open();
    name = { organizationId: 'org_1', endpointId: endpointIdOf(`${kind} ${(tests += 1)}`), part: 'signing' };
  });

  test('are read by their version, the old one as well as the new one', async () => {
    const [old, young] = [randomUUID(), randomUUID()];
    await secrets.put(name, { id: old, value: 'old' });
    await secrets.put(name, { id: young, value: 'young' });
    expect(await secrets.readSecret(name, old)).toBe('old');
    expect(await secrets.readSecret(name, young)).toBe('young');
  });

  test('of another part or another endpoint are others', async () => {
    const id = randomUUID();
    await secrets.put(name, { id, value: 'signing' });
    await expect(secrets.readSecret({ ...name, part: 'headers' }, id)).rejects.toThrow();
    await expect(secrets.readSecret({ ...name, endpointId: endpointIdOf('x') }, id)).rejects.toThrow();
  });

  test('that were never put, or are removed, are an error', async () => {
    const id = randomUUID();
    await expect(secrets.readSecret(name, id)).rejects.toThrow();
    await secrets.put(name, { id, value: 'signing' });
    await secrets.remove(name);
    await expect(secrets.readSecret(name, id)).rejects.toThrow();
  });

  test('that are removed twice are no error', async () => {
    await secrets.put(name, { id: randomUUID(), value: 'signing' });
    await secrets.remove(name);
    await expect(secrets.remove(name)).resolves.toBeUndefined();
  });

  test('are there after two first ones at the same moment', async () => {
    const ids = [randomUUID(), randomUUID()];
    await Promise.all(ids.map((id) => secrets.put(name, { id, value: `value of ${id}` })));
    for (const id of ids) expect(await secrets.readSecret(name, id)).toBe(`value of ${id}`);
  });

  test('leave the other versions when one is retired', async () => {
    const [old, young] = [randomUUID(), randomUUID()];
    await secrets.put(name, { id: old, value: 'old' });
    await secrets.put(name, { id: young, value: 'young' });
    await secrets.retire(name, old);
    expect(await secrets.readSecret(name, young)).toBe('young');
    await secrets.retire(name, randomUUID());
  });

  test('that are gone can be retired, with their secret or without', async () => {
    const id = randomUUID();
    await secrets.put(name, { id, value: 'removed' });
    await secrets.remove(name);
    await expect(secrets.retire(name, id)).resolves.toBeUndefined();
  });

  test('that are put a second time are as they were, also when they were removed in between', async () => {
    const version = { id: randomUUID(), value: 'again' };
    await secrets.put(name, version);
    await secrets.put(name, version);
    await secrets.remove(name);
    await secrets.put(name, version);
    expect(await secrets.readSecret(name, version.id)).toBe('again');
  });
});

describe('versions in Secrets Manager', () => {
  const name = { organizationId: 'org_1', endpointId: endpointIdOf('versions'), part: 'headers' as const };
  const path = `tidings/test/${name.organizationId}/${name.endpointId}/headers`;
  const ids: string[] = Array.from({ length: 4 }, () => randomUUID());
  const [first = '', second = '', ...others] = ids;

  // What takes AWSCURRENT may strip the version that had it of its other labels, and what has none may be deleted.
  test('each have a label of their own and no other, so that none is lost when another is put', async () => {
    const writer = makeSecretWriter(client, 'tidings/test', keyArn);
    for (const id of ids) await writer.put(name, { id, value: `value of ${id}` });
    await aws.secrets.dropDeprecatedVersions(path);
    const readSecret = makeReadSecret(client, 'tidings/test');
    for (const id of ids) expect(await readSecret(name, id)).toBe(`value of ${id}`);
    const labels = aws.secrets.describe(path).versions.filter(({ id }) => ids.includes(id));
    expect(labels.map(({ stages }) => stages)).toEqual(ids.map((id) => [`tidings-${id}`]));
  });

  test('that are retired are gone, the first one too', async () => {
    const writer = makeSecretWriter(client, 'tidings/test', keyArn);
    await writer.retire(name, first);
    await writer.retire(name, second);
    await aws.secrets.dropDeprecatedVersions(path);
    const left = aws.secrets.describe(path).versions.map(({ id }) => id);
    expect(left.filter((id) => ids.includes(id))).toEqual(others);
  });
});

describe('an outage of Secrets Manager', () => {
  const owner = { organizationId: 'org_1', part: 'signing' as const };

  test('is not noticed for a version that was used before', async () => {
    const name = { ...owner, endpointId: endpointIdOf('used') };
    const id = randomUUID();
    await makeSecretWriter(client, 'tidings/test', keyArn).put(name, { id, value: 'kept' });
    const readSecret = makeReadSecret(client, 'tidings/test');
    await readSecret(name, id);
    outage.isOn = true;
    expect(await readSecret(name, id)).toBe('kept');
  });

  test('is an error for any other version, and is not remembered', async () => {
    const name = { ...owner, endpointId: endpointIdOf('unused') };
    const id = randomUUID();
    await makeSecretWriter(client, 'tidings/test', keyArn).put(name, { id, value: 'new' });
    const readSecret = makeReadSecret(client, 'tidings/test');
    outage.isOn = true;
    await expect(readSecret(name, id)).rejects.toThrow();
    outage.isOn = false;
    expect(await readSecret(name, id)).toBe('new');
  });

  test('is made less likely: ten messages that need a version at once make one call', async () => {
    const name = { ...owner, endpointId: endpointIdOf('ten') };
    const id = randomUUID();
    await makeSecretWriter(client, 'tidings/test', keyArn).put(name, { id, value: 'new' });
    const readSecret = makeReadSecret(client, 'tidings/test');
    const before = outage.calls;
    await Promise.all(Array.from({ length: 10 }, () => readSecret(name, id)));
    expect(outage.calls - before).toBe(1);
  });
});
