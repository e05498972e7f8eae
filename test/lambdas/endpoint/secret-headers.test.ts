import { describe, expect, it } from 'vitest';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { aWorld, create, endpoints, one, problemOf, url, versionsOf } from './a-world.ts';

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
