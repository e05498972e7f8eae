import { describe, expect, it } from 'vitest';
import { endpointIdOf } from '../../../fakes/ids.ts';
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
