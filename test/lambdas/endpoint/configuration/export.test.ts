import { describe, expect, it } from 'vitest';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { anOrganization } from '../../../fakes/an-organization.ts';
import { ask, aWorld, configuration, entry, exportOf, importInto, secretHeader } from './a-configuration.ts';

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
