import { describe, expect, it } from 'vitest';
import { showHealth, well } from '../../../../lambdas/endpoint/health/health.ts';
import { memoryConfiguration } from '../../../fakes/configuration.ts';
import { failingSecrets } from '../failing-secrets.ts';
import {
  ask,
  aWorld,
  configuration,
  entry,
  exportOf,
  importInto,
  saidOf,
  stateOf,
  secretHeader,
} from './a-configuration.ts';

describe('an import', () => {
  it('makes what is not there yet, and shows each secret this once', async () => {
    const service = aWorld();
    const first = await importInto(service, configuration(entry('billing'), entry('audit')));
    expect(saidOf(first)).toEqual(['billing added', 'audit added']);
    expect(first.isComplete).toBe(true);
    for (const { id = '', secret } of first.endpoints) {
      expect([...(service.secrets.secrets.get(`org_1/${id}/signing`)?.values() ?? [])]).toEqual([secret]);
    }
    expect(new Set(first.endpoints.map(({ secret }) => secret)).size).toBe(2);
  });

  it('a second time changes nothing, and writes nothing', async () => {
    const service = aWorld();
    const whole = {
      ...configuration(entry('billing', { headers: [secretHeader] })),
      policy: { timeoutSeconds: 9 },
    };
    await importInto(service, whole);
    const kept = {
      ...configuration(entry('billing', { headers: [{ name: 'x-api-key', secret: true }] })),
      policy: { timeoutSeconds: 9 },
    };
    const before = await stateOf(service);
    service.clock.pass(60_000);
    const again = await importInto(service, kept);
    expect(again).toEqual({
      dryRun: false,
      isComplete: true,
      policyChanges: [],
      endpoints: [{ id: expect.any(String) as unknown, name: 'billing', outcome: 'unchanged' }],
    });
    expect(await stateOf(service)).toBe(before);
  });

  it('makes an endpoint as it is described: what is left out goes back to its default', async () => {
    const service = aWorld();
    const given = {
      description: 'Invoices',
      eventTypes: ['*'],
      policy: { timeoutSeconds: 5, retry: { multiplier: 2 } },
    };
    await importInto(
      service,
      configuration(entry('billing', { ...given, active: false, keepResponse: true })),
    );
    const after = await importInto(
      service,
      configuration(entry('billing', { policy: { timeoutSeconds: 6 } })),
    );
    expect(after.endpoints[0]?.changes).toEqual(
      expect.arrayContaining([
        { field: 'active', before: false, after: true },
        { field: 'description', before: 'Invoices' },
        { field: 'eventTypes', before: ['*'], after: [] },
        { field: 'keepResponse', before: true, after: false },
        { field: 'policy.timeoutSeconds', before: 5, after: 6 },
        { field: 'policy.retry', before: { multiplier: 2 } },
      ]),
    );
    expect(after.endpoints[0]?.changes).toHaveLength(6);
    const [shown] = (await exportOf(service)).document.endpoints;
    expect(shown).toMatchObject({ active: true, eventTypes: [], policy: { timeoutSeconds: 6 } });
    expect(shown).not.toHaveProperty('description');
    expect(shown).not.toHaveProperty('policy.retry');
  });

  it('as a dry run shows the difference, and writes nothing', async () => {
    const service = aWorld();
    await importInto(service, configuration(entry('billing'), entry('old')));
    const before = await stateOf(service);
    const wanted = {
      ...configuration(entry('billing', { url: 'https://b.example.com/' }), entry('new')),
      policy: { timeoutSeconds: 9 },
    };
    const said = await importInto(service, wanted, { query: { dryRun: 'true', prune: 'true' } });
    expect(saidOf(said)).toEqual(['billing changed', 'new added', 'old removed']);
    expect(said).toMatchObject({
      dryRun: true,
      isComplete: false,
      policyChanges: [{ field: 'timeoutSeconds', after: 9 }],
    });
    expect(said.endpoints[0]?.changes).toEqual([
      { field: 'url', before: 'https://billing.example.com/hook', after: 'https://b.example.com/' },
    ]);
    expect(await stateOf(service)).toBe(before);
    const same = await exportOf(service);
    expect(await importInto(service, same.document, { query: { dryRun: 'true' } })).toMatchObject({
      dryRun: true,
      isComplete: true,
    });
  });

  it('leaves what it does not mention, and removes it with its secrets when it is told to', async () => {
    const service = aWorld();
    await importInto(service, configuration(entry('billing'), entry('old', { headers: [secretHeader] })));
    expect(saidOf(await importInto(service, configuration(entry('billing'))))).toEqual([
      'billing unchanged',
      'old unlisted',
    ]);
    const pruned = await importInto(service, configuration(entry('billing')), { query: { prune: 'true' } });
    expect(saidOf(pruned)).toEqual(['billing unchanged', 'old removed']);
    expect((await exportOf(service)).document.endpoints).toHaveLength(1);
    expect(service.secrets.secrets.size).toBe(1);
  });

  it('knows an endpoint by its id, and can give it another name, or take it away', async () => {
    const service = aWorld();
    const [{ id } = { id: '' }] = (await importInto(service, configuration(entry('billing')))).endpoints;
    const renamed = await importInto(
      service,
      configuration(entry('invoices', { id, url: 'https://billing.example.com/hook' })),
    );
    expect(renamed.endpoints).toMatchObject([
      { id, outcome: 'changed', changes: [{ field: 'name', before: 'billing', after: 'invoices' }] },
    ]);
    // The name is free for another one.
    await importInto(
      service,
      configuration({ id, url: 'https://billing.example.com/hook' }, entry('invoices')),
    );
    const { document } = await exportOf(service);
    expect(document.endpoints.map(({ id: one, name }) => [one === id, name])).toEqual([
      [true, undefined],
      [false, 'invoices'],
    ]);
  });

  it('of another organization goes by the names', async () => {
    const from = aWorld();
    await importInto(from, configuration(entry('billing', { eventTypes: ['pipeline.*'] }), entry('audit')));
    const { document } = await exportOf(from);
    const to = aWorld();
    to.clock.pass(5_000);
    await importInto(to, configuration(entry('other')));
    to.clock.pass(5_000);
    const first = await importInto(to, document);
    expect(saidOf(first)).toEqual(['billing added', 'audit added', 'other unlisted']);
    expect(first.endpoints[0]?.id).not.toBe(document.endpoints[0]?.id);
    expect(saidOf(await importInto(to, document))).toEqual([
      'billing unchanged',
      'audit unchanged',
      'other unlisted',
    ]);
  });

  it('keeps secret headers that have no value, and writes those that have one; no answer holds it', async () => {
    const service = aWorld();
    await importInto(service, configuration(entry('billing', { headers: [secretHeader] })));
    const named = { name: 'x-api-key', secret: true };
    const answers = [
      await ask(service, configuration(entry('billing', { headers: [named], description: 'changed' }))),
      await ask(
        service,
        configuration(
          entry('billing', {
            headers: [{ ...secretHeader, value: 'planted-later' }],
            description: 'changed',
          }),
        ),
      ),
    ];
    expect(answers.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([
      { endpoints: [{ outcome: 'changed', changes: [{ field: 'description', after: 'changed' }] }] },
      { endpoints: [{ outcome: 'changed', changes: [{ field: 'headers.x-api-key' }] }] },
    ]);
    expect(JSON.stringify([answers, await service.audit.list('org_1', { limit: 250 })])).not.toContain(
      'planted',
    );
    expect((await exportOf(service)).body).not.toContain('planted');
    const [name = ''] = [...service.secrets.secrets.keys()].filter((one) => one.endsWith('/headers'));
    expect([...(service.secrets.secrets.get(name)?.values() ?? [])]).toEqual(['planted-later']);
  });

  it('stands in the audit endpoint by endpoint', async () => {
    const service = aWorld();
    await importInto(service, configuration(entry('billing'), entry('old')));
    await importInto(
      service,
      { ...configuration(entry('billing', { keepResponse: true })), policy: { timeoutSeconds: 9 } },
      { query: { prune: 'true' } },
    );
    const { data } = await service.audit.list('org_1', { limit: 3 });
    expect(data.every(({ operation }) => operation === 'importConfiguration')).toBe(true);
    expect(data).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          before: expect.objectContaining({ name: 'old' }) as unknown,
          outcome: 'done',
        }),
        expect.objectContaining({ before: { policy: {} }, after: { policy: { timeoutSeconds: 9 } } }),
        expect.objectContaining({
          before: expect.objectContaining({ keepResponse: false }) as unknown,
          after: expect.objectContaining({ keepResponse: true }) as unknown,
        }),
      ]),
    );
  });

  it('does not mean the failures of long ago when it switches an endpoint on', async () => {
    const service = aWorld();
    const first = await importInto(service, configuration(entry('billing', { active: false })));
    const id = first.endpoints[0]?.id ?? '';
    const off = { at: service.clock.iso(), reason: 'failing' } as const;
    await service.health.replace(id, well, { ...well, off, failingSince: service.clock.iso() });
    await importInto(service, configuration(entry('billing')));
    expect(showHealth(await service.health.read(id))).toEqual({ state: 'ok' });
  });
});

describe('an import in parts', () => {
  it('does 200 changes, says what is left, and goes on when it is sent again', async () => {
    const service = aWorld();
    const whole = configuration(...Array.from({ length: 205 }, (_, index) => entry(`e${String(index)}`)));
    const first = await importInto(service, whole);
    expect(tally(saidOf(first))).toEqual({ added: 200, pending: 5 });
    expect(first.isComplete).toBe(false);
    const second = await importInto(service, whole);
    expect(tally(saidOf(second))).toEqual({ unchanged: 200, added: 5 });
    expect(second.isComplete).toBe(true);
  });

  it('of which one fails shows the secrets of the others, and mends it when it is sent again', async () => {
    const { secrets, failing } = failingSecrets('put', 2);
    const service = aWorld({ secrets: failing });
    const whole = configuration(entry('one'), entry('two'), entry('three'));
    const first = await importInto(service, whole);
    expect(saidOf(first)).toEqual(['one added', 'two failed', 'three added']);
    expect(first).toMatchObject({
      isComplete: false,
      endpoints: [{}, { problem: { code: 'internal_error' } }, {}],
    });
    expect(first.endpoints.map(({ secret }) => secret !== undefined)).toEqual([true, false, true]);
    expect(secrets.secrets.size).toBe(2);
    expect(JSON.stringify(service.lines)).toContain('import.endpoint_failed');
    expect(saidOf(await importInto(service, whole))).toEqual([
      'one unchanged',
      'two added',
      'three unchanged',
    ]);
  });

  it('that was cut off while it removed an endpoint ends that when it is sent again', async () => {
    const { secrets, failing } = failingSecrets('remove', 1);
    const service = aWorld({ secrets: failing });
    await importInto(service, configuration(entry('old')));
    const none = configuration();
    expect(saidOf(await importInto(service, none, { query: { prune: 'true' } }))).toEqual(['old failed']);
    expect(saidOf(await importInto(service, none, { query: { prune: 'true' } }))).toEqual(['old removed']);
    expect(saidOf(await importInto(service, none, { query: { prune: 'true' } }))).toEqual([]);
    expect(secrets.secrets.size).toBe(0);
  });

  it('whose endpoint somebody else changes meanwhile changes the others', async () => {
    const base = memoryConfiguration();
    let races = 0;
    const racing = {
      ...base,
      endpoints: {
        ...base.endpoints,
        replace: (...given: Parameters<typeof base.endpoints.replace>) =>
          (races += 1) === 1 ? Promise.resolve(false) : base.endpoints.replace(...given),
      },
    };
    const service = aWorld({ configuration: racing });
    await importInto(service, configuration(entry('one'), entry('two')));
    const changed = configuration(entry('one', { keepResponse: true }), entry('two', { keepResponse: true }));
    const said = await importInto(service, changed);
    expect(said).toMatchObject({
      isComplete: false,
      endpoints: [{ outcome: 'failed', problem: { code: 'changed_meanwhile' } }, { outcome: 'changed' }],
    });
    expect(saidOf(await importInto(service, changed))).toEqual(['one changed', 'two unchanged']);
  });
});

describe('an import with an Idempotency-Key', () => {
  it('shows the secrets again, and makes nothing twice', async () => {
    const service = aWorld();
    const idempotencyKey = 'a-key-that-nobody-guesses';
    const first = await ask(service, configuration(entry('one')), { idempotencyKey });
    const again = await ask(service, configuration(entry('one')), { idempotencyKey });
    expect(again.body).toBe(first.body);
    expect(again.headers['idempotent-replayed']).toBe('true');
  });
});

function tally(said: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const one of said) {
    const outcome = one.split(' ')[1] ?? '';
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}
