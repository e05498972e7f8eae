import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { aService } from '../api/a-service.ts';

describe('the list of endpoints', () => {
  it.each<[Record<string, string>, string[]]>([
    [{}, ['by category', 'by name', 'by prefix', 'off']],
    [{ active: 'true' }, ['by category', 'by name', 'by prefix']],
    [{ active: 'false' }, ['off']],
    [{ type: 'pipeline.run.failed' }, ['by category', 'by name', 'by prefix']],
    [{ type: 'pipeline.run.started' }, ['by category', 'by prefix']],
    [{ type: 'governance.contract.violated', active: 'true' }, []],
  ])('asked for %j shows %j', async (query, names) => {
    const configuration = memoryConfiguration();
    configuration.setOrganization(anOrganization({ id: 'org_1' }));
    const none = { eventTypes: [], categories: [] };
    const given = [
      anEndpoint({ name: 'a', ...none, description: 'by name', eventTypes: ['pipeline.run.failed'] }),
      anEndpoint({ name: 'b', ...none, description: 'by prefix', eventTypes: ['pipeline.*'] }),
      anEndpoint({ name: 'c', ...none, description: 'by category', categories: ['pipeline_execution'] }),
      anEndpoint({ name: 'd', ...none, description: 'off', active: false }),
    ];
    for (const endpoint of given) configuration.set(endpoint);
    const answer = await aService({ configuration }).ask({
      path: '/v1/organizations/org_1/endpoints',
      query,
    });
    const page = z.object({ data: z.array(z.object({ description: z.string() })) });
    const shown = page.parse(JSON.parse(answer.body)).data.map(({ description }) => description);
    expect(shown.toSorted()).toEqual(names);
  });
});
