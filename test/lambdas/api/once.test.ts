import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { administrator, aService } from './a-service.ts';
import type { Service, Wish } from './a-service.ts';

const path = '/v1/organizations/org_1/endpoints';
const body = { url: 'https://a.example.com/hook' };
const key = '6f1c2a1e-0000-4000-8000-000000000001';
const creating: Wish = { method: 'POST', path, body, idempotencyKey: key };

function aWorld(given: Parameters<typeof aService>[0] = {}): Service {
  const configuration = memoryConfiguration();
  configuration.setOrganization(anOrganization({ id: 'org_1' }));
  return aService({ configuration, ...given });
}

async function endpointsOf({ configuration }: Service): Promise<number> {
  return (await configuration.endpoints.list('org_1', { limit: 250 })).data.length;
}

const secretOf = (text: string) => z.object({ secret: z.string() }).parse(JSON.parse(text)).secret;
const codeOf = (text: string) => z.object({ code: z.string() }).parse(JSON.parse(text)).code;

describe('a request with an Idempotency-Key', () => {
  it('is done once and answered twice, the secret included', async () => {
    const service = aWorld();
    const first = await service.ask(creating);
    const second = await service.ask({ ...creating, requestId: 'request-2' });
    expect([first.statusCode, second.statusCode]).toEqual([201, 201]);
    expect(second.body).toBe(first.body);
    expect(second.headers).toMatchObject({
      'idempotent-replayed': 'true',
      etag: first.headers['etag'],
      'x-request-id': 'request-2',
    });
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    expect(await endpointsOf(service)).toBe(1);
  });

  it('leaves neither the secret nor the key where somebody could read it', async () => {
    const service = aWorld();
    const { body: answered } = await service.ask(creating);
    const kept = JSON.stringify(service.requests.all());
    expect(service.requests.all()).toHaveLength(1);
    expect(kept).not.toContain(secretOf(answered));
    expect(kept).not.toContain(key);
    expect(kept).not.toContain('a.example.com');
  });

  it('sent at the same moment as its copy is done once; the copy is told to wait', async () => {
    const service = aWorld();
    const answers = await Promise.all([service.ask(creating), service.ask(creating)]);
    const codes = answers.map(({ statusCode, body }) => (statusCode === 201 ? '201' : codeOf(body)));
    expect(codes.toSorted()).toEqual(['201', 'request_in_progress']);
    expect(await endpointsOf(service)).toBe(1);
  });

  it('with another body is refused, and with another path it is another request', async () => {
    const service = aWorld();
    await service.ask(creating);
    const other = await service.ask({ ...creating, body: { url: 'https://b.example.com/' } });
    expect([other.statusCode, codeOf(other.body)]).toEqual([422, 'idempotency_key_reused']);
    const events = path.replace('endpoints', 'events');
    const event = { type: 'pipeline.run.failed', data: {} };
    expect((await service.ask({ ...creating, path: events, body: event })).statusCode).toBe(202);
  });

  it('of another caller is another request', async () => {
    const service = aWorld();
    await service.ask(creating);
    const other = await service.ask({ ...creating, claims: { ...administrator, sub: 'user_6' } });
    expect(other.headers['idempotent-replayed']).toBeUndefined();
    expect(await endpointsOf(service)).toBe(2);
  });

  it('that was refused may be mended and sent again with the same key', async () => {
    const service = aWorld();
    const wrong = await service.ask({ ...creating, body: { url: 'http://a.example.com/' } });
    expect(wrong.statusCode).toBe(400);
    expect((await service.ask(creating)).statusCode).toBe(201);
  });

  it('that failed by our fault may be sent again', async () => {
    const faults = [new Error('away')];
    const service = aWorld({
      publish: () => {
        const fault = faults.pop();
        return fault === undefined ? Promise.resolve() : Promise.reject(fault);
      },
    });
    const wish = {
      ...creating,
      path: path.replace('endpoints', 'events'),
      body: { type: 'pipeline.run.failed', data: {} },
    };
    expect((await service.ask(wish)).statusCode).toBe(500);
    expect((await service.ask(wish)).statusCode).toBe(202);
  });

  // The secret is shown once: an error that loses it leaves an endpoint that nobody can verify, and a second one beside it.
  it('that was done, though not every function could be told, is not done again, and its secret comes later', async () => {
    const service = aWorld();
    const { habits } = service.ports;
    const { sayChanged } = habits?.audit ?? {};
    Object.assign(habits?.audit ?? {}, { sayChanged: () => Promise.reject(new Error('away')) });
    expect((await service.ask(creating)).statusCode).toBe(500);
    Object.assign(habits?.audit ?? {}, { sayChanged });
    service.clock.pass(29_999);
    expect(codeOf((await service.ask(creating)).body)).toBe('request_in_progress');
    service.clock.pass(1);
    const answer = await service.ask(creating);
    expect([answer.statusCode, answer.headers['idempotent-replayed']]).toEqual([201, 'true']);
    expect([...service.secrets.secrets.values()].map((one) => [...one.values()])).toEqual([
      [secretOf(answer.body)],
    ]);
    expect(await endpointsOf(service)).toBe(1);
  });

  it('that failed when it was just written down may be sent again, and frees nobody else’s key', async () => {
    const service = aWorld();
    const { begin } = service.requests;
    let isAway = true;
    const lossy: typeof begin = async (...begun) => {
      const before = await begin(...begun);
      if (isAway) throw new Error('the answer was lost');
      return before;
    };
    Object.assign(service.requests, { begin: lossy });
    expect((await service.ask(creating)).statusCode).toBe(500);
    isAway = false;
    expect((await service.ask(creating)).statusCode).toBe(201);
    isAway = true;
    expect((await service.ask(creating)).statusCode).toBe(500);
    isAway = false;
    expect((await service.ask(creating)).headers['idempotent-replayed']).toBe('true');
    expect(await endpointsOf(service)).toBe(1);
  });

  it('that was cut off is not done again: nobody knows how far it came', async () => {
    const service = aWorld();
    const cutOff = service.ports.habits;
    if (cutOff === undefined) throw new Error('the service has habits');
    const keep = () => Promise.reject(new Error('away'));
    const { requests } = cutOff.once;
    Object.assign(requests, { keep });
    expect((await service.ask(creating)).statusCode).toBe(201);
    service.clock.pass(31_000);
    const again = await service.ask(creating);
    expect([again.statusCode, codeOf(again.body)]).toEqual([409, 'outcome_unknown']);
    expect(await endpointsOf(service)).toBe(1);
  });

  it('is forgotten after a day', async () => {
    const service = aWorld();
    await service.ask(creating);
    service.clock.pass(86_401_000);
    await service.ask(creating);
    expect(await endpointsOf(service)).toBe(2);
  });

  it.each(['', 'short', 'with a blank in it', 'ü'.repeat(20), 'x'.repeat(256)])(
    'must be one that nobody guesses: %j',
    async (idempotencyKey) => {
      const service = aWorld();
      const answer = await service.ask({ ...creating, idempotencyKey });
      expect([answer.statusCode, codeOf(answer.body)]).toEqual([400, 'invalid_idempotency_key']);
      expect(await endpointsOf(service)).toBe(0);
    },
  );

  it('on an operation that makes nothing changes nothing', async () => {
    const service = aWorld();
    expect((await service.ask({ path, idempotencyKey: key })).statusCode).toBe(200);
    expect(service.requests.all()).toEqual([]);
  });
});

describe('the bound of endpoints', () => {
  it('refuses one too many, and writes no secret for it', async () => {
    const service = aWorld({ endpointsMax: 1 });
    await service.ask(creating);
    const secrets = service.secrets.secrets.size;
    const answer = await service.ask({ method: 'POST', path, body });
    expect([answer.statusCode, codeOf(answer.body)]).toEqual([409, 'too_many_endpoints']);
    expect(service.secrets.secrets.size).toBe(secrets);
  });
});
