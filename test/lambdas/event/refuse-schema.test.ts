import { describe, expect, it } from 'vitest';
import { anOrganization } from '../../fakes/an-organization.ts';
import { aService, operator } from '../api/a-service.ts';

const path = '/v1/event-types/billing.invoice.paid';
const int64 = '9223372036854775807';
const dialect = 'https://json-schema.org/draft/2020-12/schema';

function schemaOf(keywords: string): string {
  return `{"type":"object","properties":{"id":${keywords}}}`;
}

function definitionOf(schema: string, more = ''): string {
  return `{"category":"governance","description":"x","schema":${schema}${more}}`;
}

describe('a schema with numbers that no double holds, such as those of int64', () => {
  const bounds = [
    `{"type":"integer","minimum":-9223372036854775808,"maximum":${int64}}`,
    `{"enum":[${int64}]}`,
    `{"const":${int64}}`,
    `{"default":${int64}}`,
    '{"type":"number","maximum":1e400}',
  ];

  it.each(bounds)('is taken and shown as it was written: %s', async (keywords) => {
    const service = aService();
    const body = definitionOf(schemaOf(keywords), `,"example":{"id":${int64}}`);
    const made = await service.ask({ method: 'PUT', path, body, claims: operator });
    expect([made.statusCode, made.body]).toEqual([201, expect.stringContaining(keywords)]);
    expect((await service.ask({ path })).body).toContain(keywords);
  });

  it.each(bounds)('is taken by an import, too: %s', async (keywords) => {
    const service = aService();
    const imported = await service.ask({
      method: 'POST',
      path: '/v1/event-types/import',
      query: { category: 'governance' },
      body: `{"$schema":"${dialect}","$defs":{"a.b":${schemaOf(keywords)}}}`,
      claims: operator,
    });
    expect([imported.statusCode, imported.body]).toEqual([200, expect.stringContaining('"added"')]);
    expect((await service.ask({ path: '/v1/event-types/a.b' })).body).toContain(keywords);
  });

  it.each(bounds)('is kept by data that have the same number: %s', async (keywords) => {
    const service = aService({ schemas: 'strict' });
    service.configuration.setOrganization(anOrganization());
    await service.ask({ method: 'PUT', path, body: definitionOf(schemaOf(keywords)), claims: operator });
    const events = '/v1/organizations/org_1/events';
    const publish = (id: string) =>
      service.ask({
        method: 'POST',
        path: events,
        body: `{"type":"billing.invoice.paid","data":{"id":${id}}}`,
      });
    expect((await publish(int64)).statusCode).toBe(202);
  });

  it('refuses another number, and says its own as it was written', async () => {
    const service = aService({ schemas: 'strict' });
    service.configuration.setOrganization(anOrganization());
    for (const keywords of bounds.slice(0, 3)) {
      await service.ask({ method: 'PUT', path, body: definitionOf(schemaOf(keywords)), claims: operator });
      const body = '{"type":"billing.invoice.paid","data":{"id":1e30}}';
      const answer = await service.ask({ method: 'POST', path: '/v1/organizations/org_1/events', body });
      expect(JSON.parse(answer.body)).toMatchObject({ status: 400, code: 'schema_violation' });
      expect(answer.body).toContain(int64);
    }
  });
});
