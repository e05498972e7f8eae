import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { auditEntry } from '../../../../lambdas/api/audit/entry.ts';
import { memoryConfiguration } from '../../../fakes/configuration.ts';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { anOrganization } from '../../../fakes/an-organization.ts';
import { aService, operator } from '../a-service.ts';
import type { Service, Wish } from '../a-service.ts';

const organization = '/v1/organizations/org_1';
const endpoint = anEndpoint();
const one = `${organization}/endpoints/${endpoint.id}`;

function aWorld(): Service {
  const configuration = memoryConfiguration();
  configuration.setOrganization(anOrganization({ id: 'org_1' }));
  configuration.set(endpoint);
  return aService({ configuration });
}

const page = z.object({ data: z.array(auditEntry), nextCursor: z.string().nullable() });

async function auditOf({ ask }: Service, wish: Wish = { path: `${organization}/audit` }) {
  return page.parse(JSON.parse((await ask(wish)).body)).data;
}

describe('the audit', () => {
  it('says who changed what and when, before and after', async () => {
    const service = aWorld();
    await service.ask({ method: 'PATCH', path: one, body: { active: false }, requestId: 'request-9' });
    expect(await auditOf(service)).toEqual([
      {
        id: expect.stringMatching(/^aud_/) as unknown,
        at: new Date(service.clock.now()).toISOString(),
        by: { subject: 'user_5', isOperator: false },
        operation: 'updateEndpoint',
        target: { endpointId: endpoint.id },
        requestId: 'request-9',
        outcome: 'done',
        before: expect.objectContaining({ id: endpoint.id, active: true }) as unknown,
        after: expect.objectContaining({ id: endpoint.id, active: false }) as unknown,
      },
    ]);
  });

  it('holds no secret of a new endpoint, neither the one that is made nor a header’s', async () => {
    const service = aWorld();
    const headers = [{ name: 'x-api-key', value: 'planted-header-value', secret: true }];
    const body = { url: 'https://new.example.com/', headers };
    const answer = await service.ask({ method: 'POST', path: `${organization}/endpoints`, body });
    const { secret } = z.looseObject({ secret: z.string() }).parse(JSON.parse(answer.body));
    const text = JSON.stringify(service.audit.all());
    expect(text).toContain('https://new.example.com/');
    expect(text).not.toContain(secret);
    expect(text).not.toContain('planted-header-value');
  });

  it('has nothing of what was refused, read or only tried', async () => {
    const service = aWorld();
    await service.ask({ method: 'PATCH', path: one, body: { url: 'http://no.example.com/' } });
    await service.ask({ method: 'PATCH', path: one, body: { active: false }, ifMatch: '"old"' });
    await service.ask({ path: one });
    await service.ask({
      method: 'POST',
      path: `${organization}/events/preview`,
      body: { type: 'pipeline.run.failed' },
    });
    expect(await auditOf(service)).toEqual([]);
  });

  it('has a change of which nobody knows whether it was made, with what was there before', async () => {
    const service = aWorld();
    const away = () => Promise.reject(new Error('away'));
    Object.assign(service.configuration.endpoints, { replace: away });
    expect((await service.ask({ method: 'PATCH', path: one, body: { active: false } })).statusCode).toBe(500);
    expect(await auditOf(service)).toMatchObject([{ outcome: 'unknown', before: { active: true } }]);
  });

  it('that cannot be written keeps the change from being made', async () => {
    const service = aWorld();
    Object.assign(service.audit, { put: () => Promise.reject(new Error('away')) });
    expect((await service.ask({ method: 'DELETE', path: one })).statusCode).toBe(500);
    expect(await service.configuration.endpoints.get('org_1', endpoint.id)).toBeDefined();
  });

  it('that cannot be written again does not call a change off that was made', async () => {
    const service = aWorld();
    const { put } = service.audit;
    let writes = 0;
    Object.assign(service.audit, {
      put: (...given: Parameters<typeof put>) =>
        (writes += 1) === 1 ? put(...given) : Promise.reject(new Error('away')),
    });
    expect((await service.ask({ method: 'DELETE', path: one })).statusCode).toBe(204);
    expect(await auditOf(service)).toMatchObject([{ outcome: 'unknown', operation: 'deleteEndpoint' }]);
    expect(service.lines.map(({ message }) => message)).toContain('audit.unsettled');
  });

  it('is listed newest first, by time, page by page', async () => {
    const service = aWorld();
    const times: string[] = [];
    for (const active of [false, true, false]) {
      service.clock.pass(1_000);
      times.push(new Date(service.clock.now()).toISOString());
      await service.ask({ method: 'PATCH', path: one, body: { active } });
    }
    const operations = await auditOf(service, {
      path: `${organization}/audit`,
      query: { since: times[1] ?? '' },
    });
    expect(
      operations
        .map(({ at }) => at)
        .toSorted()
        .reverse(),
    ).toEqual(operations.map(({ at }) => at));
    expect(operations.every(({ at }) => at >= (times[1] ?? ''))).toBe(true);
    expect(operations.length).toBeLessThan((await auditOf(service)).length);
    const upTo = await auditOf(service, { path: `${organization}/audit`, query: { until: times[0] ?? '' } });
    expect(upTo.map(({ at }) => at)).toEqual([times[0]]);
  });

  it('is exported as lines of JSON, and the header Link leads through all of it', async () => {
    const service = aWorld();
    for (const active of [false, true, false, true]) {
      service.clock.pass(1_000);
      await service.ask({ method: 'PATCH', path: one, body: { active } });
    }
    const all = await auditOf(service);
    const lines: string[] = [];
    let query: Record<string, string> | undefined = { limit: '3' };
    for (let pages = 0; query !== undefined && pages < 10; pages += 1) {
      const answer = await service.ask({ path: `${organization}/audit/export`, query });
      expect(answer.headers['content-type']).toBe('application/x-ndjson');
      lines.push(...answer.body.split('\n').filter(Boolean));
      const next: string | undefined = /^<[^?]*\?(.*)>; rel="next"$/.exec(answer.headers['link'] ?? '')?.[1];
      query = next === undefined ? undefined : Object.fromEntries(new URLSearchParams(next));
    }
    expect(lines.map((line) => auditEntry.parse(JSON.parse(line)))).toEqual(all);
  });

  it('is not sent again to who has this export already, and is once there is more', async () => {
    const service = aWorld();
    const wish = { path: `${organization}/audit/export` };
    await service.ask({ method: 'PATCH', path: one, body: { active: false } });
    const ifNoneMatch = (await service.ask(wish)).headers['etag'] ?? '';
    expect(ifNoneMatch).toMatch(/^"[\w-]{22}"$/);
    expect(await service.ask({ ...wish, ifNoneMatch })).toMatchObject({ statusCode: 304, body: '' });
    service.clock.pass(1_000);
    await service.ask({ method: 'PATCH', path: one, body: { active: true } });
    const more = await service.ask({ ...wish, ifNoneMatch });
    expect([more.statusCode, more.body.trim().split('\n').length]).toEqual([200, 2]);
  });

  it('of the catalogue is the operator’s', async () => {
    const service = aWorld();
    const body = { category: 'governance', description: 'Due.' };
    await service.ask({ method: 'PUT', path: '/v1/event-types/billing.invoice.due', body, claims: operator });
    const entries = await auditOf(service, { path: '/v1/audit', claims: operator });
    expect(entries).toMatchObject([
      { operation: 'putEventType', target: { name: 'billing.invoice.due' }, after: body },
    ]);
    expect((await service.ask({ path: '/v1/audit' })).statusCode).toBe(403);
    expect(await auditOf(service)).toEqual([]);
  });
});
