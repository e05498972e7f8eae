import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sealAnswer } from '../../../../lambdas/api/seal-answer.ts';
import { shorten } from '../../../../lambdas/endpoint/configuration/shorten.ts';
import { failingSecrets } from '../failing-secrets.ts';
import { ask, aWorld, configuration, entry, importInto, saidOf } from './a-configuration.ts';

const idempotencyKey = 'a-key-that-nobody-guesses';

/** Text that cannot be compressed much. */
const noise = (seed: string, length: number) =>
  createHash('shake256', { outputLength: Math.ceil(length / 2) })
    .update(seed)
    .digest('hex')
    .slice(0, length);

const typesOf = (seed: string, many = 150) =>
  Array.from({ length: many }, (_, index) => `${seed}${String(index)}.${noise(seed + String(index), 110)}.*`);

function large(seed: string, count: number): object[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `e${String(index)}-${noise(String(index), 58)}`;
    return { ...entry('a', { eventTypes: typesOf(seed) }), name };
  });
}

describe('an import whose differences are large', () => {
  it('is answered a second time by its key, with the secret of what was made', async () => {
    const service = aWorld();
    await importInto(service, configuration(...large('a', 30)));
    const changed = configuration(...large('b', 30), entry('new'));
    const first = await ask(service, changed, { idempotencyKey });
    expect(first.body).toContain('"secret":"whsec_');
    expect(first.body.length).toBeLessThan(200_000);
    const again = await ask(service, changed, { idempotencyKey });
    expect([again.statusCode, again.headers['idempotent-replayed']]).toEqual([200, 'true']);
    expect(again.body).toBe(first.body);
  });

  it('names every field that differs, and shows values as far as there is room', async () => {
    const service = aWorld();
    await importInto(service, configuration(...large('a', 30)));
    const said = await importInto(service, configuration(...large('b', 30)), { query: { dryRun: 'true' } });
    expect(new Set(saidOf(said).map((one) => one.split(' ')[1]))).toEqual(new Set(['changed']));
    const changes = said.endpoints.map((one) => one.changes ?? []);
    expect(changes.every(([one]) => one?.field === 'eventTypes')).toBe(true);
    expect(changes[0]?.[0]).toHaveProperty('before', typesOf('a'));
    expect(changes[29]).toEqual([{ field: 'eventTypes' }]);
  });

  it('of a thousand endpoints fits into an item of the ledger when it is kept, 200 secrets included', () => {
    const outcomes = Array.from({ length: 1_000 }, (_, index) => ({
      id: `ep_${noise(`id${String(index)}`, 26)}`,
      name: noise(String(index), 64),
      ...(index < 200
        ? { outcome: 'added' as const, secret: `whsec_${noise(`secret${String(index)}`, 64)}` }
        : {
            outcome: 'changed' as const,
            changes: [{ field: 'eventTypes', before: typesOf('a', 20), after: typesOf('b', 20) }],
          }),
    }));
    const body = JSON.stringify({ endpoints: shorten(outcomes) });
    const sealed = sealAnswer(idempotencyKey, { statusCode: 200, headers: {}, body }, new Uint8Array(12));
    expect(sealed.length).toBeLessThan(350 * 1024);
  });
});

describe('an import that was not finished', () => {
  it('by our fault says that another key goes on: its own gives the answer again, with the secrets', async () => {
    const { failing } = failingSecrets('put', 2);
    const service = aWorld({ secrets: failing });
    const whole = configuration(entry('one'), entry('two'));
    const first = await ask(service, whole, { idempotencyKey });
    expect(first.body).toContain('with a new Idempotency-Key if you gave one');
    expect((await ask(service, whole, { idempotencyKey })).body).toBe(first.body);
    const other = { idempotencyKey: 'another-key-that-nobody-guesses' };
    expect(saidOf(await importInto(service, whole, other))).toEqual(['one unchanged', 'two added']);
  });
});
