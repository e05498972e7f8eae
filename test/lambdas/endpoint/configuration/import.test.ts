import { describe, expect, it } from 'vitest';
import { showHealth, well } from '../../../../lambdas/endpoint/health/health.ts';
import { anOrganization } from '../../../fakes/an-organization.ts';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { memoryConfiguration } from '../../../fakes/configuration.ts';
import { endpointIdOf } from '../../../fakes/ids.ts';
import { memorySecretStore } from '../../api/a-service.ts';
import {
  ask,
  aWorld,
  configuration,
  entry,
  exportOf,
  importInto,
  saidOf,
  stateOf,
} from './a-configuration.ts';

const secretHeader = { name: 'x-api-key', value: 'planted-value', secret: true };

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
    const secrets = memorySecretStore();
    let puts = 0;
    const failing = {
      ...secrets,
      put: (...given: Parameters<typeof secrets.put>) =>
        (puts += 1) === 2 ? Promise.reject(new Error('planted')) : secrets.put(...given),
    };
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

describe('an import that is refused', () => {
  const taken = endpointIdOf('elsewhere');

  it.each<[string, object, { status?: number; code: string; field?: string }]>([
    ['of another version', { version: 2, endpoints: [] }, { code: 'invalid_request', field: 'version' }],
    ['without endpoints', { version: 1 }, { code: 'invalid_request', field: 'endpoints' }],
    [
      'with a secret',
      configuration(entry('a', { secret: 'whsec_x' })),
      { code: 'unknown_field', field: 'endpoints.0.secret' },
    ],
    [
      'with a name in capitals',
      configuration(entry('A')),
      { code: 'invalid_request', field: 'endpoints.0.name' },
    ],
    [
      'of an endpoint without a name',
      configuration({ url: 'https://a.example.com/' }),
      { code: 'missing_name', field: 'endpoints.0.name' },
    ],
    [
      'of an id of somebody else',
      configuration({ id: taken, url: 'https://a.example.com/' }),
      { code: 'unknown_endpoint', field: 'endpoints.0.id' },
    ],
    [
      'of a name twice',
      configuration(entry('a'), entry('a')),
      { code: 'duplicate_endpoint', field: 'endpoints.1.name' },
    ],
    [
      'of a private address',
      configuration(entry('a'), entry('b', { url: 'https://10.0.0.1/' })),
      { code: 'target_not_allowed', field: 'endpoints.1.url' },
    ],
    [
      'of an unknown event type',
      configuration(entry('a', { eventTypes: ['*', 'no.such'] })),
      { code: 'unknown_event_type', field: 'endpoints.0.eventTypes.1' },
    ],
    [
      'of a secret header that has no value yet',
      configuration(entry('a', { headers: [{ name: 'x-key', secret: true }] })),
      { code: 'invalid_request', field: 'endpoints.0.headers.0.value' },
    ],
    [
      'of a header of ours',
      configuration(entry('a', { headers: [{ name: 'host', value: 'x' }] })),
      { code: 'header_not_allowed', field: 'endpoints.0.headers.0.name' },
    ],
    [
      'of a schedule that is too long',
      configuration(
        entry('a', {
          policy: {
            retry: { maximumAttempts: 30, initialBackoffSeconds: 86_400, maximumBackoffSeconds: 86_400 },
          },
        }),
      ),
      { code: 'schedule_too_long', field: 'endpoints.0.policy.retry' },
    ],
    [
      'of defaults that are too long',
      {
        ...configuration(),
        policy: {
          retry: { maximumAttempts: 30, initialBackoffSeconds: 86_400, maximumBackoffSeconds: 86_400 },
        },
      },
      { code: 'schedule_too_long', field: 'policy.retry' },
    ],
    [
      'of more than there can be',
      configuration(entry('a'), entry('b'), entry('c'), entry('d')),
      { status: 409, code: 'too_many_endpoints' },
    ],
  ])('%s leaves everything as it was', async (_what, document, { status = 400, ...expected }) => {
    const service = aWorld({ endpointsMax: 3 });
    const before = await stateOf(service);
    const answer = await ask(service, document);
    expect(JSON.parse(answer.body)).toMatchObject({ status, ...expected });
    expect(await stateOf(service)).toBe(before);
  });

  it('names an endpoint twice, by its id', async () => {
    const service = aWorld();
    const [{ id } = { id: '' }] = (await importInto(service, configuration(entry('one')))).endpoints;
    const answer = await ask(service, configuration(entry('one', { id }), entry('two', { id })));
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'duplicate_endpoint', field: 'endpoints.1.id' });
  });

  it('gives one endpoint the name of another, which stays', async () => {
    const service = aWorld();
    const first = await importInto(service, configuration(entry('one'), entry('two')));
    const wanted = configuration(entry('two', { id: first.endpoints[0]?.id }));
    expect(JSON.parse((await ask(service, wanted)).body)).toMatchObject({
      status: 409,
      code: 'name_taken',
      field: 'endpoints.0.name',
    });
    // Once the other one goes, it may.
    expect(saidOf(await importInto(service, wanted, { query: { prune: 'true' } }))).toEqual([
      'one changed',
      'two removed',
    ]);
  });

  it('means one of two endpoints that got the same name at the same moment', async () => {
    const service = aWorld();
    await importInto(service, configuration(entry('one'), entry('two')));
    const { endpoints } = await service.configuration.readSubscribers('org_1');
    for (const endpoint of endpoints) service.configuration.set({ ...endpoint, name: 'same' });
    expect(JSON.parse((await ask(service, configuration(entry('same')))).body)).toMatchObject({
      status: 409,
      code: 'ambiguous_name',
      field: 'endpoints.0.name',
    });
  });

  it('is of a configuration that somebody else has changed since', async () => {
    const service = aWorld();
    await importInto(service, configuration(entry('one')));
    const { etag } = await exportOf(service);
    expect(
      (await ask(service, configuration(entry('one', { active: false })), { ifMatch: etag })).statusCode,
    ).toBe(200);
    const late = await ask(service, configuration(entry('one')), { ifMatch: etag });
    expect(JSON.parse(late.body)).toMatchObject({ status: 412, code: 'changed_meanwhile' });
  });

  it('has more than 4 MiB; one of more than other requests may have is taken', async () => {
    const service = aWorld();
    const long = (bytes: number) =>
      configuration(
        ...Array.from({ length: Math.floor(bytes / 1_000) }, (_, index) =>
          entry(`e${String(index)}`, { description: 'x'.repeat(940) }),
        ),
      );
    const padded = { ...long(990_000), policy: {} };
    expect(JSON.stringify(padded).length).toBeGreaterThan(960_000);
    expect(
      (await ask(service, `${JSON.stringify(padded)}${' '.repeat(1_000_000)}`, { query: { dryRun: 'true' } }))
        .statusCode,
    ).toBe(200);
    const tooLong = await ask(service, `${JSON.stringify(padded)}${' '.repeat(4_000_000)}`);
    expect(JSON.parse(tooLong.body)).toMatchObject({ status: 413, code: 'payload_too_large' });
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

describe('an export', () => {
  it('has no secrets, and is the same for the same state', async () => {
    const service = aWorld();
    const { endpoints } = await importInto(
      service,
      configuration(
        entry('b', { headers: [secretHeader] }),
        entry('a', { headers: [{ name: 'x-open', value: 'shown' }] }),
      ),
    );
    const { body, etag, document } = await exportOf(service);
    expect(body).not.toContain('planted-value');
    for (const { secret = 'none' } of endpoints) expect(body).not.toContain(secret);
    expect(document.endpoints[0]).toEqual({
      id: endpoints[0]?.id,
      name: 'b',
      url: 'https://b.example.com/hook',
      active: true,
      eventTypes: [],
      categories: [],
      policy: {},
      keepResponse: false,
      scheme: 'hmac',
      headers: [{ name: 'x-api-key', secret: true }],
    });
    expect(document.endpoints[1]).toMatchObject({ headers: [{ name: 'x-open', value: 'shown' }] });
    expect(await exportOf(service)).toEqual({ body, etag, document });
  });

  it('can be read by an organization whose plan has lapsed', async () => {
    const service = aWorld();
    service.configuration.setOrganization(
      anOrganization({ plan: 'team', lapsedAt: '2026-11-20T00:00:00.000Z' }),
    );
    expect((await exportOf(service)).document.endpoints).toEqual([]);
    expect((await ask(service, configuration())).statusCode).toBe(403);
  });

  it('that would not fit into an answer is refused', async () => {
    const service = aWorld();
    const eventTypes = Array.from({ length: 200 }, (_, index) => `${'a'.repeat(120)}${String(index)}.*`);
    for (let index = 0; index < 180; index += 1) {
      service.configuration.set({ ...anEndpoint({ name: `e${String(index)}` }), eventTypes });
    }
    const answer = await service.ask({ path: '/v1/organizations/org_1/export' });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 409, code: 'configuration_too_large' });
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
