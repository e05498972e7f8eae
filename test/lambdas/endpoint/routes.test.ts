import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import { keyOf } from '../../../lambdas/signing/secret.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { memorySecretStore } from '../api/a-service.ts';
import { failingSecrets } from './failing-secrets.ts';
import type { Service } from '../api/a-service.ts';
import { aWorld, create, endpoints, one, problemOf, url, versionsOf } from './a-world.ts';

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
    ['https://a.example.com/?filter={"a":1}', 'invalid_url'],
    ['https://a.example.com/ü', 'invalid_url'],
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
    expect(answer.statusCode).toBe(404);
    expect(await configuration.endpoints.get('org_1', endpointIdOf('one'))).toBeUndefined();
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

  it('that was cut off is ended by the same call', async () => {
    const { secrets, failing } = failingSecrets('remove', 1);
    const service = aWorld({}, { secrets: failing });
    const { id } = await create(service, { url });
    const path = `${endpoints}/${id}`;
    expect((await service.ask({ method: 'DELETE', path })).statusCode).toBe(500);
    expect(secrets.secrets.size).toBe(1);
    expect((await service.ask({ method: 'DELETE', path })).statusCode).toBe(204);
    expect((await service.ask({ path })).statusCode).toBe(404);
    expect(secrets.secrets.size).toBe(0);
  });

  it('that was cut off is gone for everybody else, and ended by the same call with the same If-Match', async () => {
    const { secrets, failing } = failingSecrets('remove', 2);
    const service = aWorld({}, { secrets: failing });
    const { id } = await create(service, { url, name: 'billing' });
    const path = `${endpoints}/${id}`;
    const wish = {
      method: 'DELETE',
      path,
      ifMatch: (await service.ask({ path })).headers['etag'] ?? '',
    } as const;
    expect((await service.ask(wish)).statusCode).toBe(500);
    const others = [
      await service.ask({ path }),
      await service.ask({ method: 'PATCH', path, body: { description: 'back?' } }),
      await service.ask({ method: 'POST', path: `${path}/secret/rotate`, body: {} }),
    ];
    expect(others.map(({ statusCode }) => statusCode)).toEqual([404, 404, 404]);
    expect((await service.ask({ path: endpoints })).body).not.toContain(id);
    expect((await create(service, { url, name: 'billing' })).id).not.toBe(id);
    expect((await service.ask(wish)).statusCode).toBe(204);
    expect((await service.ask(wish)).statusCode).toBe(404);
    expect([...secrets.secrets.keys()].filter((name) => name.includes(id))).toEqual([]);
  });

  it.each([
    ['a rotation', { method: 'POST', path: '/secret/rotate', body: { overlapSeconds: 0 } }],
    [
      'a new secret header',
      { method: 'PATCH', path: '', body: { headers: [{ name: 'x-key', value: 'k', secret: true }] } },
    ],
  ] as const)('leaves no secret behind, when %s is at work beside it', async (_what, wish) => {
    const secrets = memorySecretStore();
    let beside = (): Promise<unknown> => Promise.resolve();
    // All of the removal comes between our reading and the first thing that we write.
    const put: typeof secrets.put = async (...given) => {
      const removal = beside();
      beside = () => Promise.resolve();
      await removal;
      return secrets.put(...given);
    };
    const service = aWorld({}, { secrets: { ...secrets, put } });
    const { id } = await create(service, { url });
    beside = () => service.ask({ method: 'DELETE', path: `${endpoints}/${id}` });
    const answer = await service.ask({ ...wish, path: `${endpoints}/${id}${wish.path}` });
    expect(problemOf(answer)).toMatchObject({ status: 404, code: 'not_found' });
    expect(secrets.secrets.size).toBe(0);
  });

  it('that is another organization’s touches neither its secret nor its health', async () => {
    const service = aWorld();
    service.configuration.setOrganization(anOrganization({ id: 'org_2' }));
    const { id } = await create(service, { url });
    const health = { ...well, failures: 3 };
    await service.health.replace(id, well, health);
    const claims = { organizationId: 'org_2', scope: 'webhooks:write' };
    const path = `${endpoints.replace('org_1', 'org_2')}/${id}`;
    expect((await service.ask({ method: 'DELETE', path, claims })).statusCode).toBe(404);
    expect(service.secrets.secrets.size).toBe(1);
    expect(await service.health.readLatest(id)).toMatchObject({ failures: 3 });
  });

  it.each([
    ['If-Match', 412],
    ['no condition', 409],
  ])(
    'that somebody else has changed meanwhile is refused, with %s: it stays, with its secret',
    async (how, status) => {
      const configuration = memoryConfiguration();
      // Between our reading and our removal, another administrator gives it another URL.
      const startRemoval: typeof configuration.endpoints.startRemoval = (before) => {
        configuration.set({ ...before, description: 'theirs', updatedAt: '2026-11-23T09:59:59.999Z' });
        return configuration.endpoints.startRemoval(before);
      };
      const service = aWorld(
        {},
        { configuration: { ...configuration, endpoints: { ...configuration.endpoints, startRemoval } } },
      );
      const { id } = await create(service, { url });
      const path = `${endpoints}/${id}`;
      const { headers } = await service.ask({ path });
      const condition = how === 'If-Match' ? { ifMatch: headers['etag'] ?? '' } : {};
      const answer = await service.ask({ method: 'DELETE', path, ...condition });
      expect(problemOf(answer)).toMatchObject({ status, code: 'changed_meanwhile' });
      expect(problemOf(await service.ask({ path }))).toMatchObject({ description: 'theirs' });
      expect(service.secrets.secrets.size).toBe(1);
    },
  );

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

async function leftIn({ configuration, secrets }: Service): Promise<{ endpoints: number; secrets: number }> {
  const { data } = await configuration.endpoints.list('org_1', { limit: 250 });
  return { endpoints: data.length, secrets: secrets.secrets.size };
}
