import { describe, expect, test } from 'vitest';

import { SecretsManager } from '../../../local/aws/secrets-manager.ts';
import { memoryShelf } from '../../../local/aws/shelf.ts';
import { aTestSetting } from './a-queue.ts';

const dayMs = 86_400_000;
const name = 'tidings/prod/org_1/ep_1';

function tokenOf(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

/** A secret whose n-th version is `secret n` under the id `tokenOf(n)`. */
async function aSecret(versions = 1) {
  const setting = aTestSetting({ shelf: memoryShelf() });
  const secrets = await SecretsManager.open(setting);
  await secrets.create({ name, token: tokenOf(1), value: { string: 'secret 1' } });
  for (let n = 2; n <= versions; n++) {
    await secrets.putValue(name, { value: { string: `secret ${n}` }, token: tokenOf(n) });
  }
  return { secrets, setting, clock: setting.clock };
}

function stagesOf(secrets: SecretsManager): Record<string, string[]> {
  return Object.fromEntries(secrets.describe(name).versions.map(({ id, stages }) => [id, stages]));
}

describe('versions and labels', () => {
  test('a new version is current, the one before it previous, older ones have no label', async () => {
    const { secrets } = await aSecret(3);
    expect(stagesOf(secrets)).toEqual({
      [tokenOf(1)]: [],
      [tokenOf(2)]: ['AWSPREVIOUS'],
      [tokenOf(3)]: ['AWSCURRENT'],
    });
    expect(secrets.getValue(name, {}).version.string).toBe('secret 3');
    expect(secrets.getValue(name, { stage: 'AWSPREVIOUS' }).version.string).toBe('secret 2');
    expect(secrets.getValue(name, { id: tokenOf(1) }).version.string).toBe('secret 1');
  });

  test('a version with labels of its own alone keeps them over any number of others', async () => {
    const { secrets } = await aSecret();
    for (let n = 2; n <= 5; n++) {
      await secrets.putValue(name, {
        value: { string: `secret ${n}` },
        token: tokenOf(n),
        stages: [`v${n}`],
      });
    }
    await secrets.dropDeprecatedVersions(name);
    expect(secrets.getValue(name, { id: tokenOf(2) }).version.stages).toEqual(['v2']);
    expect(secrets.getValue(name, {}).version.string).toBe('secret 1');
  });

  // Recorded of AWSPENDING; of labels of one's own nothing is, so that whoever relies on them must fail here.
  test('a value that is put as the current one strips the version before it of every other label', async () => {
    const { secrets } = await aSecret();
    for (const n of [2, 3]) {
      const value = { string: `secret ${n}` };
      await secrets.putValue(name, { value, token: tokenOf(n), stages: ['AWSCURRENT', `v${n}`] });
    }
    expect(stagesOf(secrets)).toEqual({
      [tokenOf(1)]: [],
      [tokenOf(2)]: ['AWSPREVIOUS'],
      [tokenOf(3)]: ['AWSCURRENT', 'v3'],
    });
  });

  test('a label moves from the version that had it', async () => {
    const { secrets } = await aSecret();
    await secrets.putValue(name, { value: { string: 'a' }, token: tokenOf(2), stages: ['mine'] });
    await secrets.putValue(name, { value: { string: 'b' }, token: tokenOf(3), stages: ['mine'] });
    expect(stagesOf(secrets)).toEqual({
      [tokenOf(1)]: ['AWSCURRENT'],
      [tokenOf(2)]: [],
      [tokenOf(3)]: ['mine'],
    });
  });

  test('the same token and value again change nothing; another value is refused', async () => {
    const { secrets } = await aSecret(2);
    await secrets.putValue(name, { value: { string: 'secret 1' }, token: tokenOf(1) });
    expect(secrets.getValue(name, {}).version.string).toBe('secret 2');
    const other = secrets.putValue(name, { value: { string: 'other' }, token: tokenOf(1) });
    await expect(other).rejects.toMatchObject({ code: 'ResourceExistsException' });
  });

  test('puts at the same moment lose none of each other', async () => {
    const { secrets } = await aSecret();
    const puts = [2, 3, 4].map((n) =>
      secrets.putValue(name, { value: { string: `${n}` }, token: tokenOf(n) }),
    );
    await Promise.all(puts);
    expect(Object.keys(stagesOf(secrets))).toHaveLength(4);
  });

  test('moving AWSCURRENT back takes AWSPREVIOUS along, and needs the version it comes from', async () => {
    const { secrets } = await aSecret(2);
    const move = { stage: 'AWSCURRENT', to: tokenOf(1) };
    await expect(secrets.updateStage(name, move)).rejects.toMatchObject({
      code: 'InvalidParameterException',
    });
    await secrets.updateStage(name, { ...move, from: tokenOf(2) });
    expect(stagesOf(secrets)).toEqual({ [tokenOf(1)]: ['AWSCURRENT'], [tokenOf(2)]: ['AWSPREVIOUS'] });
  });

  test('past a hundred versions those without a label go', async () => {
    const { secrets } = await aSecret(101);
    expect(Object.keys(stagesOf(secrets))).toEqual([tokenOf(100), tokenOf(101)]);
  });

  test('a first value put later is current, whatever label it was given', async () => {
    const { secrets } = await aSecret();
    await secrets.create({ name: 'empty' });
    expect(() => secrets.getValue('empty', {})).toThrow("can't find");
    const { version } = await secrets.putValue('empty', { value: { binary: 'AAEC' }, stages: ['mine'] });
    expect(version.stages).toEqual(['mine', 'AWSCURRENT']);
  });
});

describe('the life of a secret', () => {
  test('creating again with the same token and value answers the same secret; otherwise it exists already', async () => {
    const { secrets } = await aSecret();
    const again = await secrets.create({ name, token: tokenOf(1), value: { string: 'secret 1' } });
    expect(again.secret.arn).toBe(secrets.describe(name).arn);
    const other = secrets.create({ name, token: tokenOf(2), value: { string: 'secret 1' } });
    await expect(other).rejects.toMatchObject({ code: 'ResourceExistsException' });
  });

  test('is found by its ARN, which ends in six characters', async () => {
    const { secrets } = await aSecret();
    const { arn } = secrets.describe(name);
    expect(arn).toMatch(
      /^arn:aws:secretsmanager:us-east-1:000000000000:secret:tidings\/prod\/org_1\/ep_1-\w{6}$/,
    );
    expect(secrets.getValue(arn, {}).version.string).toBe('secret 1');
  });

  test.each(['', 'a b', 'a:b', 'n'.repeat(513)])('the name %j is refused', async (wrong) => {
    const { secrets } = await aSecret();
    await expect(secrets.create({ name: wrong })).rejects.toMatchObject({ code: 'ValidationException' });
  });

  test('a deleted secret is unreadable, keeps its name until the window ends, and can be had back until then', async () => {
    const { secrets, clock } = await aSecret();
    await secrets.delete(name, { days: 7 });
    expect(() => secrets.getValue(name, {})).toThrow('marked for deletion');
    await expect(secrets.create({ name })).rejects.toMatchObject({ code: 'InvalidRequestException' });
    await secrets.restore(name);
    expect(secrets.getValue(name, {}).version.string).toBe('secret 1');
    await secrets.delete(name, { days: 7 });
    await clock.advance(7 * dayMs);
    expect(() => secrets.describe(name)).toThrow("can't find");
    await secrets.create({ name });
  });

  test('a forced deletion frees the name at once, and is no error for a secret that is not there', async () => {
    const { secrets } = await aSecret();
    await secrets.delete(name, { isForced: true });
    await secrets.delete(name, { isForced: true });
    await secrets.create({ name });
  });

  test('everything is there after a restart', async () => {
    const { secrets, setting } = await aSecret(3);
    const again = await SecretsManager.open(setting);
    expect(again.describe(name)).toEqual(secrets.describe(name));
  });

  test('a value has one kind and at most 65,536 bytes', async () => {
    const { secrets } = await aSecret();
    for (const value of [{}, { string: 'a', binary: 'AAEC' }, { string: 'a'.repeat(65_537) }]) {
      await expect(secrets.putValue(name, { value })).rejects.toMatchObject({
        code: 'InvalidParameterException',
      });
    }
  });
});
