import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { HttpAnswer } from '../../../lambdas/api/problem.ts';
import { endpoint, shownEndpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../../lambdas/endpoint/health/health.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { keyOf } from '../../../lambdas/signing/secret.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { aService, memorySecretStore } from '../api/a-service.ts';
import type { Service } from '../api/a-service.ts';

const endpoints = '/v1/organizations/org_1/endpoints';
const one = `${endpoints}/${endpointIdOf('one')}`;
const url = 'https://a.example.com/hook';
const id = endpointIdOf('one');
const at = '2026-11-22T00:00:00.000Z';
const later = '2026-11-23T12:00:00.000Z';
const created = shownEndpoint.extend({ secret: z.string() });

describe('creating an endpoint', () => {
  it('shows the secret that will sign for it', async () => {
    const service = aWorld();
    const { secret, id } = await create(service, { url });
    expect(keyOf(secret)).toHaveLength(32);
    expect(versionsOf(service, id, 'signing')).toEqual([secret]);
  });

  it('shows the secret this once: no later answer holds it', async () => {
    const service = aWorld();
    const { secret, id } = await create(service, { url });
    const path = `${endpoints}/${id}`;
    const answers = [
      await service.ask({ path: endpoints }),
      await service.ask({ path }),
      await service.ask({ method: 'PATCH', path, body: { description: 'for the data team' } }),
      await service.ask({ path: '/v1/organizations/org_1' }),
      await service.ask({ method: 'DELETE', path }),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200, 204]);
    const said = answers.map(({ body }) => body).join('\n');
    expect(said).not.toContain(secret.slice('whsec_'.length));
    expect(said).not.toContain('"secret"');
  });

  it('stores no secret beside the endpoint, only the name of its version', async () => {
    const service = aWorld();
    const { secret, id } = await create(service, { url });
    const stored = await service.configuration.endpoints.get('org_1', id);
    expect(JSON.stringify(stored)).not.toContain(secret.slice('whsec_'.length));
    expect(stored?.secretVersions).toHaveLength(1);
  });

  it('gives every endpoint an id and a secret of its own', async () => {
    const service = aWorld();
    const first = await create(service, { url });
    const second = await create(service, { url });
    expect(second.id).not.toBe(first.id);
    expect(second.secret).not.toBe(first.secret);
  });

  it('keeps what was asked for', async () => {
    const service = aWorld();
    const wanted = {
      url,
      description: 'for the data team',
      active: false,
      eventTypes: ['pipeline.*', 'security.policy.changed'],
      categories: ['governance'],
      policy: { timeoutSeconds: 5, retry: { maximumAttempts: 3 } },
    };
    const { id } = await create(service, wanted);
    expect(await service.configuration.endpoints.get('org_1', id)).toMatchObject({
      ...wanted,
      organizationId: 'org_1',
      scheme: 'hmac',
    });
  });

  it.each([
    ['http://a.example.com/hook', 'https_required'],
    ['https://localhost/hook', 'target_not_allowed'],
    ['https://localhost:8443/hook', 'target_not_allowed'],
    ['https://169.254.169.254/latest/meta-data/', 'target_not_allowed'],
    ['https://[fd00:ec2::254]/latest/meta-data/', 'target_not_allowed'],
    ['https://2852039166/latest/meta-data/', 'target_not_allowed'],
    ['https://127.0.0.1/', 'target_not_allowed'],
    ['https://10.0.0.1/', 'target_not_allowed'],
    ['https://metadata.google.internal/', 'target_not_allowed'],
    ['https://a.example.com:22/', 'target_not_allowed'],
    ['ftp://a.example.com/', 'https_required'],
    ['no url', 'invalid_url'],
    ['https://user:pass@a.example.com/', 'invalid_url'],
  ])('refuses %s, with nothing made', async (refused, code) => {
    const service = aWorld();
    const answer = await service.ask({ method: 'POST', path: endpoints, body: { url: refused } });
    expect(problemOf(answer)).toMatchObject({ status: 400, code, field: 'url' });
    expect(await leftIn(service)).toEqual({ endpoints: 1, secrets: 0 });
  });

  it('refuses an event type that nobody knows, and names which one', async () => {
    const service = aWorld();
    const body = { url, eventTypes: ['pipeline.*', 'pipeline.run.failed', 'pipeline.run.paused', '*'] };
    expect(problemOf(await service.ask({ method: 'POST', path: endpoints, body }))).toMatchObject({
      status: 400,
      code: 'unknown_event_type',
      field: 'eventTypes.2',
    });
    expect(await leftIn(service)).toEqual({ endpoints: 1, secrets: 0 });
  });

  it('takes an event type that an operator has added', async () => {
    const service = aWorld();
    const name = 'billing.invoice.paid';
    await service.eventTypes.replace(undefined, {
      name,
      category: 'governance',
      description: 'Paid.',
      isBuiltIn: false,
    });
    expect(await create(service, { url, eventTypes: [name] })).toMatchObject({ eventTypes: [name] });
  });

  it('refuses a schedule that outlives its events, also when the organization’s defaults make it so long', async () => {
    const retry = { initialBackoffSeconds: 86_400, maximumBackoffSeconds: 86_400 };
    const service = aWorld({ policy: { retry } });
    const body = { url, policy: { retry: { maximumAttempts: 30 } } };
    expect(problemOf(await service.ask({ method: 'POST', path: endpoints, body }))).toMatchObject({
      status: 400,
      code: 'schedule_too_long',
      field: 'policy.retry',
    });
  });
});

describe('creating an endpoint when something of ours fails', () => {
  it('leaves nothing when the secret cannot be made', async () => {
    const secrets = memorySecretStore();
    const put = () => Promise.reject(new Error('Secrets Manager is away'));
    const service = aWorld({}, { secrets: { ...secrets, put } });
    expect((await service.ask({ method: 'POST', path: endpoints, body: { url } })).statusCode).toBe(500);
    expect(await leftIn(service)).toEqual({ endpoints: 1, secrets: 0 });
  });

  it('leaves nothing when the secret was made and its answer was lost', async () => {
    const secrets = memorySecretStore();
    const put: typeof secrets.put = async (name, version) => {
      await secrets.put(name, version);
      throw new Error('timed out');
    };
    const service = aWorld({}, { secrets: { ...secrets, put } });
    await service.ask({ method: 'POST', path: endpoints, body: { url } });
    expect(await leftIn(service)).toEqual({ endpoints: 1, secrets: 0 });
  });

  it('leaves nothing when the endpoint cannot be written', async () => {
    const configuration = memoryConfiguration();
    const add = () => Promise.reject(new Error('the table is away'));
    const broken = { ...configuration, endpoints: { ...configuration.endpoints, add } };
    const service = aWorld({}, { configuration: broken });
    expect((await service.ask({ method: 'POST', path: endpoints, body: { url } })).statusCode).toBe(500);
    expect(await leftIn(service)).toEqual({ endpoints: 1, secrets: 0 });
  });

  // DynamoDB wrote it, the answer was lost, and the SDK's second try met the condition: the fault lies.
  it('leaves no endpoint without its secret when the endpoint was written and its answer was lost', async () => {
    const configuration = memoryConfiguration();
    const add: typeof configuration.endpoints.add = async (added) => {
      await configuration.endpoints.add(added);
      throw new Error('the conditional request failed');
    };
    const broken = { ...configuration, endpoints: { ...configuration.endpoints, add } };
    const service = aWorld({}, { configuration: broken });
    await service.ask({ method: 'POST', path: endpoints, body: { url } });
    const { endpoints: left, secrets } = await leftIn(service);
    // The endpoint that was there before has its secret elsewhere.
    expect(left - 1).toBe(secrets);
  });
});

describe('changing an endpoint', () => {
  it('changes what is named and keeps the rest', async () => {
    const service = aWorld();
    const before = await service.configuration.endpoints.get('org_1', endpointIdOf('one'));
    const answer = await service.ask({
      method: 'PATCH',
      path: one,
      body: { description: 'for the data team' },
    });
    expect(endpoint.parse(JSON.parse(answer.body))).toEqual({
      ...before,
      description: 'for the data team',
      updatedAt: service.clock.iso(),
    });
  });

  it('merges a policy field by field', async () => {
    const service = aWorld();
    const set = (policy: object) => service.ask({ method: 'PATCH', path: one, body: { policy } });
    await set({ timeoutSeconds: 5, retry: { maximumAttempts: 3, multiplier: 2 } });
    service.clock.pass(1_000);
    await set({ retry: { maximumAttempts: 4 } });
    expect(await service.configuration.endpoints.get('org_1', endpointIdOf('one'))).toMatchObject({
      policy: { timeoutSeconds: 5, retry: { maximumAttempts: 4, multiplier: 2 } },
    });
  });

  it('replaces a list as a whole', async () => {
    const service = aWorld();
    await service.ask({ method: 'PATCH', path: one, body: { eventTypes: ['security.*'] } });
    expect(await service.configuration.endpoints.get('org_1', endpointIdOf('one'))).toMatchObject({
      eventTypes: ['security.*'],
    });
  });

  it.each<[string, object, { code: string; field: string }]>([
    ['a URL without TLS', { url: 'http://a.example.com/' }, { code: 'https_required', field: 'url' }],
    [
      'the metadata address',
      { url: 'https://169.254.169.254/' },
      { code: 'target_not_allowed', field: 'url' },
    ],
    [
      'an unknown event type',
      { eventTypes: ['pipeline.run.paused'] },
      { code: 'unknown_event_type', field: 'eventTypes.0' },
    ],
    [
      'a schedule that outlives its events',
      {
        policy: {
          retry: { initialBackoffSeconds: 86_400, maximumBackoffSeconds: 86_400, maximumAttempts: 30 },
        },
      },
      { code: 'schedule_too_long', field: 'policy.retry' },
    ],
  ])('refuses %s, and changes nothing', async (_what, body, refusal) => {
    const service = aWorld();
    const before = await service.configuration.endpoints.get('org_1', endpointIdOf('one'));
    expect(problemOf(await service.ask({ method: 'PATCH', path: one, body }))).toMatchObject({
      status: 400,
      ...refusal,
    });
    expect(await service.configuration.endpoints.get('org_1', endpointIdOf('one'))).toEqual(before);
  });

  it('that somebody else has changed meanwhile is refused, and their change stays', async () => {
    const configuration = memoryConfiguration();
    // Between our reading and our writing, another administrator switches it off.
    const replace: typeof configuration.endpoints.replace = (before, after) => {
      configuration.set({ ...before, active: false, updatedAt: '2026-11-23T09:59:59.999Z' });
      return configuration.endpoints.replace(before, after);
    };
    const service = aWorld(
      {},
      { configuration: { ...configuration, endpoints: { ...configuration.endpoints, replace } } },
    );
    const answer = await service.ask({ method: 'PATCH', path: one, body: { description: 'mine' } });
    expect(problemOf(answer)).toMatchObject({ status: 409, code: 'changed_meanwhile' });
    expect(await configuration.endpoints.get('org_1', endpointIdOf('one'))).toMatchObject({ active: false });
    expect(await configuration.endpoints.get('org_1', endpointIdOf('one'))).not.toHaveProperty('description');
  });

  it('that somebody else has removed meanwhile does not bring it back', async () => {
    const configuration = memoryConfiguration();
    const replace: typeof configuration.endpoints.replace = async (before, after) => {
      await configuration.endpoints.remove(before.organizationId, before.id);
      return configuration.endpoints.replace(before, after);
    };
    const service = aWorld(
      {},
      { configuration: { ...configuration, endpoints: { ...configuration.endpoints, replace } } },
    );
    const answer = await service.ask({ method: 'PATCH', path: one, body: { description: 'mine' } });
    expect(answer.statusCode).toBe(409);
    expect(await configuration.endpoints.get('org_1', endpointIdOf('one'))).toBeUndefined();
  });
});

describe('secret headers of an endpoint', () => {
  const planted = 'Bearer planted-credential';
  const header = { name: 'Authorization', value: planted };

  it('come back in no answer and stand in no table', async () => {
    const service = aWorld();
    const made = await create(service, { url, headers: [header, { name: 'X-Team', value: 'data' }] });
    const path = `${endpoints}/${made.id}`;
    const said = [made, (await service.ask({ path })).body, (await service.ask({ path: endpoints })).body];
    expect(made.headers).toEqual([
      { name: 'Authorization', secret: true },
      { name: 'X-Team', value: 'data' },
    ]);
    const stored = await service.configuration.endpoints.get('org_1', made.id);
    expect(JSON.stringify([...said, stored, service.lines])).not.toContain('planted-credential');
    expect(versionsOf(service, made.id, 'headers')).toEqual([planted]);
  });

  it('keep their value when the list is sent back as it was shown', async () => {
    const service = aWorld();
    const { id, headers } = await create(service, { url, headers: [header] });
    const before = await service.configuration.endpoints.get('org_1', id);
    await service.ask({ method: 'PATCH', path: `${endpoints}/${id}`, body: { headers } });
    expect((await service.configuration.endpoints.get('org_1', id))?.headers).toEqual(before?.headers);
    expect(versionsOf(service, id, 'headers')).toEqual([planted]);
  });

  it('that are replaced leave one live value, and that are left out leave none', async () => {
    const service = aWorld();
    const { id } = await create(service, { url, headers: [header] });
    const set = (headers: object[]) =>
      service.ask({ method: 'PATCH', path: `${endpoints}/${id}`, body: { headers } });
    await set([{ ...header, value: 'Bearer other' }]);
    expect(versionsOf(service, id, 'headers')).toEqual(['Bearer other']);
    await set([]);
    expect(versionsOf(service, id, 'headers')).toEqual([]);
  });

  it('of a change that is refused are not kept', async () => {
    const service = aWorld();
    const body = { headers: [header, { name: 'Host', value: 'a.example.com' }] };
    expect(problemOf(await service.ask({ method: 'PATCH', path: one, body }))).toMatchObject({
      status: 400,
      code: 'header_not_allowed',
      field: 'headers.1.name',
    });
    expect(versionsOf(service, endpointIdOf('one'), 'headers')).toEqual([]);
  });

  // Secrets Manager takes twenty labels: after as many lost races no header could be changed any more.
  it('of a change that lost a race are not kept', async () => {
    const configuration = memoryConfiguration();
    const replace = () => Promise.resolve(false);
    const busy = { ...configuration, endpoints: { ...configuration.endpoints, replace } };
    const service = aWorld({}, { configuration: busy });
    const answer = await service.ask({ method: 'PATCH', path: one, body: { headers: [header] } });
    expect(answer.statusCode).toBe(409);
    expect(versionsOf(service, endpointIdOf('one'), 'headers')).toEqual([]);
  });
});

describe('an endpoint’s health', () => {
  const failing = { ...well, failures: 3, failingSince: at };
  const paused = { ...failing, pause: { since: at, until: later, seconds: 60, cause: 'failures' as const } };
  const off = { ...failing, off: { at: later, reason: 'failing' as const } };

  it.each<[string, Health, object]>([
    ['ok', well, { state: 'ok' }],
    ['failing', failing, { state: 'failing', failingSince: at }],
    ['paused', paused, { state: 'paused', failingSince: at, pausedUntil: later, reason: 'failures' }],
    ['disabled', off, { state: 'disabled', failingSince: at, disabledAt: later, reason: 'failing' }],
  ])('is shown as %s, of one and in the list, and nothing else of it', async (_, known, shown) => {
    const service = aWorld();
    await service.health.replace(id, well, known);
    expect(healthIn(await service.ask({ path: one }))).toEqual(shown);
    const { data } = listed.parse(JSON.parse((await service.ask({ path: endpoints })).body));
    expect(data.map(({ health }) => health)).toEqual([shown]);
  });

  it('of a new endpoint is ok', async () => {
    const service = aWorld();
    const made = await create(service, { url });
    expect(healthIn(await service.ask({ path: `${endpoints}/${made.id}` }))).toEqual({ state: 'ok' });
  });

  it.each([
    ['paused', paused],
    ['switched off', off],
  ])('is ok again when somebody resumes an endpoint that was %s, and people are told', async (_, known) => {
    const service = aWorld();
    await service.health.replace(id, well, known);
    const answer = await service.ask({ method: 'POST', path: `${one}/resume` });
    expect(answer.statusCode).toBe(200);
    expect(healthIn(answer)).toEqual({ state: 'ok' });
    expect(await service.health.readLatest(id)).toMatchObject({
      failures: 0,
      backSince: service.clock.iso(),
      graceUntil: isoTime(service.clock.now() + 86_400_000),
      unsaid: [],
    });
    expect(service.published).toEqual([
      {
        source: 'tidings',
        detailType: 'endpoint.resumed',
        detail: expect.stringContaining('by_hand') as unknown,
      },
    ]);
    expect(service.published[0]?.detail).toContain(id);
  });

  it('stays ok when somebody resumes an endpoint that was never stopped, and nobody is told', async () => {
    const service = aWorld();
    expect((await service.ask({ method: 'POST', path: `${one}/resume` })).statusCode).toBe(200);
    expect(service.published).toEqual([]);
    expect((await service.health.readLatest(id)).backSince).toBeUndefined();
  });

  it('is ok, and the endpoint active, when somebody resumes one that people had switched off', async () => {
    const service = aWorld();
    service.configuration.set(anEndpoint({ active: false }));
    await service.health.replace(id, well, off);
    const answer = await service.ask({ method: 'POST', path: `${one}/resume` });
    expect(JSON.parse(answer.body)).toMatchObject({ active: true, health: { state: 'ok' } });
    expect(await service.configuration.endpoints.get('org_1', id)).toMatchObject({ active: true });
  });

  it('is ok again when somebody switches the endpoint on by a change', async () => {
    const service = aWorld();
    await service.health.replace(id, well, off);
    await service.ask({ method: 'PATCH', path: one, body: { active: true } });
    expect(healthIn(await service.ask({ path: one }))).toEqual({ state: 'ok' });
  });

  it.each([{ description: 'still broken' }, { active: false }, {}])('is not changed by %j', async (body) => {
    const service = aWorld();
    await service.health.replace(id, well, off);
    await service.ask({ method: 'PATCH', path: one, body });
    expect(await service.health.readLatest(id)).toEqual({ ...off, version: 1 });
    expect(service.published).toEqual([]);
  });

  it('is resumed though deliveries end at the same moment', async () => {
    const service = aWorld();
    await service.health.replace(id, well, paused);
    const { replace } = service.health;
    let races = 2;
    service.health.replace = async (endpointId, before, after) => {
      if (races-- > 0) await replace(endpointId, before, { ...before, failures: before.failures + 1 });
      return replace(endpointId, before, after);
    };
    expect(healthIn(await service.ask({ method: 'POST', path: `${one}/resume` }))).toEqual({ state: 'ok' });
    expect(await service.health.readLatest(id)).toMatchObject({ failures: 0 });
  });

  it('that is overtaken each time is refused, and may be asked for again', async () => {
    const service = aWorld();
    service.health.replace = () => Promise.resolve(false);
    const answer = await service.ask({ method: 'POST', path: `${one}/resume` });
    expect(problemOf(answer)).toMatchObject({ status: 409, code: 'changed_meanwhile' });
  });

  it('is resumed though the bus takes nothing; it is said by whoever delivers next', async () => {
    const service = aWorld({}, { publish: () => Promise.reject(new Error('the bus is away')) });
    await service.health.replace(id, well, paused);
    expect((await service.ask({ method: 'POST', path: `${one}/resume` })).statusCode).toBe(200);
    expect((await service.health.readLatest(id)).unsaid).toMatchObject([
      { kind: 'resumed', reason: 'by_hand' },
    ]);
  });

  it('of another organization’s endpoint cannot be resumed', async () => {
    const service = aWorld();
    service.configuration.set(anEndpoint({ name: 'theirs', organizationId: 'org_2' }));
    await service.health.replace(endpointIdOf('theirs'), well, off);
    const path = `${endpoints}/${endpointIdOf('theirs')}/resume`;
    expect((await service.ask({ method: 'POST', path })).statusCode).toBe(404);
    expect(await service.health.readLatest(endpointIdOf('theirs'))).toEqual({ ...off, version: 1 });
  });

  it('cannot be changed by who may only read', async () => {
    const service = aWorld();
    await service.health.replace(id, well, off);
    const claims = { organizationId: 'org_1', scope: 'webhooks:read' };
    expect((await service.ask({ method: 'POST', path: `${one}/resume`, claims })).statusCode).toBe(403);
    expect(await service.health.readLatest(id)).toEqual({ ...off, version: 1 });
  });

  it('is forgotten with the endpoint, and with no other', async () => {
    const service = aWorld();
    const other = endpointIdOf('two');
    service.configuration.set(anEndpoint({ name: 'two' }));
    for (const endpointId of [id, other]) await service.health.replace(endpointId, well, off);
    await service.ask({ method: 'DELETE', path: one });
    // A day later, as DynamoDB does it.
    service.clock.pass(2 * 86_400_000);
    service.tables.sweep(service.clock.now());
    expect(await service.health.readLatest(id)).toEqual(well);
    expect(await service.health.readLatest(other)).toEqual({ ...off, version: 1 });
  });
});

describe('removing an endpoint', () => {
  it('removes its secret, too, and it is gone', async () => {
    const service = aWorld();
    const { id } = await create(service, { url });
    const path = `${endpoints}/${id}`;
    expect((await service.ask({ method: 'DELETE', path })).statusCode).toBe(204);
    expect((await service.ask({ path })).statusCode).toBe(404);
    expect((await service.ask({ method: 'DELETE', path })).statusCode).toBe(404);
    expect(service.secrets.secrets.size).toBe(0);
  });

  it('that was cut off is ended by the same call, which forgets its health, too', async () => {
    const configuration = memoryConfiguration();
    const faults = [new Error('the table is away')];
    const remove: typeof configuration.endpoints.remove = (organizationId, id) => {
      const fault = faults.pop();
      if (fault !== undefined) return Promise.reject(fault);
      return configuration.endpoints.remove(organizationId, id);
    };
    const broken = { ...configuration, endpoints: { ...configuration.endpoints, remove } };
    const service = aWorld({}, { configuration: broken });
    expect((await service.ask({ method: 'DELETE', path: one })).statusCode).toBe(500);
    expect((await service.ask({ path: one })).statusCode).toBe(200);
    expect((await service.ask({ method: 'DELETE', path: one })).statusCode).toBe(204);
    expect((await service.ask({ path: one })).statusCode).toBe(404);
  });

  it('touches no other endpoint', async () => {
    const service = aWorld();
    const kept = await create(service, { url });
    const removed = await create(service, { url });
    await service.ask({ method: 'DELETE', path: `${endpoints}/${removed.id}` });
    expect([...service.secrets.secrets.keys()]).toEqual([`org_1/${kept.id}/signing`]);
    expect((await service.ask({ path: `${endpoints}/${kept.id}` })).statusCode).toBe(200);
  });
});

describe('listing endpoints', () => {
  it('shows every endpoint once, page after page, and says when it is the last one', async () => {
    const service = aWorld();
    for (let made = 0; made < 4; made += 1) await create(service, { url });
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null && pages < 10; pages += 1) {
      const query: Record<string, string> = cursor === '' ? { limit: '2' } : { limit: '2', cursor };
      const page = pageOfEndpoints.parse(JSON.parse((await service.ask({ path: endpoints, query })).body));
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(seen).toHaveLength(5);
    expect(new Set(seen).size).toBe(5);
    expect(seen).toEqual(seen.toSorted());
  });

  it('shows no other organization’s, also with a cursor of that one', async () => {
    const service = aWorld();
    service.configuration.setOrganization(anOrganization({ id: 'org_2' }));
    for (const name of ['two', 'three'])
      service.configuration.set(anEndpoint({ name, organizationId: 'org_2' }));
    const claims = { organizationId: 'org_2', scope: 'webhooks:read' };
    const path = endpoints.replace('org_1', 'org_2');
    const theirs = await service.ask({ path, query: { limit: '1' }, claims });
    const { nextCursor } = pageOfEndpoints.parse(JSON.parse(theirs.body));
    const ours = await service.ask({ path: endpoints, query: { cursor: nextCursor ?? '' } });
    expect(ours.body).not.toContain('org_2');
  });
});

const pageOfEndpoints = z.object({ data: z.array(endpoint), nextCursor: z.string().nullable() });

function aWorld(
  organization: Parameters<typeof anOrganization>[0] = {},
  parts: Parameters<typeof aService>[0] = {},
): Service {
  const service = aService(parts);
  service.configuration.setOrganization(anOrganization(organization));
  service.configuration.set(anEndpoint());
  return service;
}

async function create(service: Service, body: object): Promise<z.output<typeof created>> {
  return created.parse(JSON.parse((await service.ask({ method: 'POST', path: endpoints, body })).body));
}

const withHealth = z.object({ health: z.unknown() });
const listed = z.object({ data: z.array(withHealth) });

function healthIn({ body }: HttpAnswer): unknown {
  return withHealth.parse(JSON.parse(body)).health;
}

function problemOf({ body }: HttpAnswer): unknown {
  return JSON.parse(body);
}

async function leftIn({ configuration, secrets }: Service): Promise<{ endpoints: number; secrets: number }> {
  const { data } = await configuration.endpoints.list('org_1', { limit: 250 });
  return { endpoints: data.length, secrets: secrets.secrets.size };
}

function versionsOf({ secrets }: Service, endpointId: string, part: string): string[] {
  return [...(secrets.secrets.get(`org_1/${endpointId}/${part}`)?.values() ?? [])];
}
