import * as kmsSdk from '@aws-sdk/client-kms';
import * as secretsSdk from '@aws-sdk/client-secrets-manager';
import { expect } from 'vitest';
import { clientOptions } from '../aws/a-server.ts';
import { recorded } from './recorded.ts';

const kms = new kmsSdk.KMSClient(clientOptions());
const secrets = new secretsSdk.SecretsManagerClient(clientOptions());
const nameOf = (sent: Promise<unknown>) =>
  sent.then(
    () => 'taken',
    (error: unknown) => (error instanceof Error ? error.name : ''),
  );

async function aKey(): Promise<string> {
  const made = await kms.send(
    new kmsSdk.CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
  );
  return made.KeyMetadata?.KeyId ?? '';
}

const sign = (KeyId: string, bytes: number, MessageType: 'RAW' | 'DIGEST') =>
  nameOf(
    kms.send(
      new kmsSdk.SignCommand({
        ...{ KeyId, MessageType, Message: new Uint8Array(bytes) },
        SigningAlgorithm: 'ECDSA_SHA_256',
      }),
    ),
  );

recorded('kms-digest', async () => {
  const key = await aKey();
  expect(await sign(key, 4096, 'RAW')).toBe('taken');
  expect(await sign(key, 4097, 'RAW')).toBe('ValidationException');
  expect(await sign(key, 32, 'DIGEST')).toBe('taken');
  expect(await sign(key, 31, 'DIGEST')).toBe('ValidationException');
});

recorded('kms-disabled', async () => {
  const key = await aKey();
  await kms.send(new kmsSdk.DisableKeyCommand({ KeyId: key }));
  expect(await sign(key, 32, 'DIGEST')).toBe('DisabledException');
  await kms.send(new kmsSdk.ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 }));
  expect(await sign(key, 32, 'DIGEST')).toBe('KMSInvalidStateException');
});

recorded('kms-reserved-tags', async () => {
  const made = (TagKey: string) =>
    nameOf(
      kms.send(
        new kmsSdk.CreateKeyCommand({
          ...{ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
          Tags: [{ TagKey, TagValue: 'x' }],
        }),
      ),
    );
  expect(await made('AWS:stack')).not.toBe('taken');
  expect(await made('tidings:stage')).toBe('taken');
});

/** A secret of whose versions each was put under one label; gives the labels of each, in their order. */
async function labelsAfter(Name: string, ...puts: readonly string[][]): Promise<(string[] | undefined)[]> {
  const made = await secrets.send(new secretsSdk.CreateSecretCommand({ Name, SecretString: 'S0' }));
  const ids = [made.VersionId ?? ''];
  for (const [index, VersionStages] of puts.entries()) {
    const SecretString = `S${index + 1}`;
    const put = await secrets.send(
      new secretsSdk.PutSecretValueCommand({ SecretId: Name, SecretString, VersionStages }),
    );
    ids.push(put.VersionId ?? '');
  }
  const { VersionIdsToStages } = await secrets.send(new secretsSdk.DescribeSecretCommand({ SecretId: Name }));
  return ids.map((id) => VersionIdsToStages?.[id]?.toSorted());
}

recorded('secrets-own-label', async () => {
  expect(await labelsAfter('own', ['one', 'two', 'three'], ['one', 'two', 'four'])).toEqual([
    ['AWSCURRENT'],
    ['three'],
    ['four', 'one', 'two'],
  ]);
});

recorded('secrets-current', async () => {
  expect(await labelsAfter('current', ['AWSCURRENT', 'AWSPENDING', 'own'], ['AWSCURRENT'])).toEqual([
    undefined,
    ['AWSPREVIOUS'],
    ['AWSCURRENT'],
  ]);
});

recorded('secrets-reserved-tags', async () => {
  const made = (Key: string) =>
    nameOf(
      secrets.send(
        new secretsSdk.CreateSecretCommand({ Name: `tagged-${Key.length}`, Tags: [{ Key, Value: 'x' }] }),
      ),
    );
  expect(await made('aws:stack')).not.toBe('taken');
  expect(await made('stage')).toBe('taken');
});
