import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { aService, operator } from '../api/a-service.ts';
import type { Service } from '../api/a-service.ts';

const path = '/v1/organizations/org_1';

describe('the plan of an organization', () => {
  it('makes an organization that is new', async () => {
    const service = aService();
    expect(await say(service, { plan: 'enterprise' })).toEqual({
      id: 'org_1',
      plan: 'enterprise',
      addOns: [],
      policy: {},
      createdAt: service.clock.iso(),
      updatedAt: service.clock.iso(),
      isEntitled: true,
    });
    expect(await service.ask({ path })).toMatchObject({ statusCode: 200 });
  });

  it('that lapses leaves the configuration readable, and refuses to change it', async () => {
    const service = aService();
    await say(service, { plan: 'enterprise' });
    service.configuration.set(anEndpoint());
    service.clock.pass(1_000);
    expect(await say(service, { plan: 'team' })).toMatchObject({
      lapsedAt: service.clock.iso(),
      isEntitled: false,
    });
    const endpoint = `${path}/endpoints/${endpointIdOf('one')}`;
    expect(await service.ask({ path: endpoint })).toMatchObject({ statusCode: 200 });
    expect(await service.ask({ method: 'PATCH', path: endpoint, body: { active: false } })).toMatchObject({
      statusCode: 403,
    });
  });

  it('that comes back finds its endpoints and defaults as they were', async () => {
    const service = aService();
    await say(service, { plan: 'enterprise' });
    await service.ask({ method: 'PATCH', path, body: { policy: { timeoutSeconds: 7 } } });
    await say(service, { plan: 'team' });
    const again = await say(service, { plan: 'team', addOns: ['webhooks'] });
    expect(again).toMatchObject({ policy: { timeoutSeconds: 7 }, isEntitled: true });
    expect(again).not.toHaveProperty('lapsedAt');
  });

  it('may be asked for by an organization without it: the console shows there whom to ask', async () => {
    const service = aService();
    await say(service, { plan: 'team' });
    expect(JSON.parse((await service.ask({ path })).body)).toMatchObject({ plan: 'team', isEntitled: false });
    expect(await service.ask({ path: `${path}/endpoints` })).toMatchObject({
      statusCode: 403,
      body: expect.stringContaining('"code":"enterprise_plan_required"') as unknown,
    });
  });
});

describe('the defaults of an organization', () => {
  it('are merged field by field, and leave the plan as it is', async () => {
    const service = anOrganizationService();
    await service.ask({
      method: 'PATCH',
      path,
      body: { policy: { retry: { multiplier: 2, maximumAttempts: 5 } } },
    });
    await service.ask({ method: 'PATCH', path, body: { policy: { retry: { maximumAttempts: 6 } } } });
    expect(await service.configuration.organizations.get('org_1')).toMatchObject({
      plan: 'enterprise',
      policy: { retry: { multiplier: 2, maximumAttempts: 6 } },
    });
  });

  it('whose schedule outlives the events are refused, and nothing changes', async () => {
    const service = anOrganizationService();
    const retry = { initialBackoffSeconds: 86_400, maximumBackoffSeconds: 86_400, maximumAttempts: 30 };
    const answer = await service.ask({ method: 'PATCH', path, body: { policy: { retry } } });
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 400,
      code: 'schedule_too_long',
      field: 'policy.retry',
    });
    expect(await service.configuration.organizations.get('org_1')).toEqual(anOrganization());
  });

  it('that with an endpoint’s own policy outlive the events are refused: its deliveries ended as expired, without a word', async () => {
    const service = anOrganizationService();
    service.configuration.set(anEndpoint({ name: 'plain' }));
    service.configuration.set(anEndpoint({ policy: patient }));
    const body = { policy: { retry: { maximumAttempts: 30 } } };
    const answer = await service.ask({ method: 'PATCH', path, body });
    const problem = problemOf(answer);
    expect(problem).toMatchObject({ status: 400, code: 'schedule_too_long', field: 'policy.retry' });
    expect(problem.detail).toContain(
      `Together with the policy of ${endpointIdOf('one')} all attempts would take`,
    );
    expect(problem.detail).toContain('32.8 days, and events are kept for 30 days');
    expect(problem.detail).not.toContain(endpointIdOf('plain'));
    expect(await service.configuration.organizations.get('org_1')).toEqual(anOrganization());
    expect(
      await service.ask({ method: 'PATCH', path, body: { policy: { retry: { maximumAttempts: 25 } } } }),
    ).toMatchObject({ statusCode: 200 });
  });

  it('that outlive the events of many endpoints are refused with the ids of a few', async () => {
    const service = anOrganizationService();
    for (let count = 1; count <= 40; count += 1)
      service.configuration.set(anEndpoint({ name: `n${count}`, policy: patient }));
    const body = { policy: { retry: { maximumAttempts: 30 } } };
    const { detail } = problemOf(await service.ask({ method: 'PATCH', path, body }));
    expect(detail).toContain('and 37 more');
    expect(detail.match(/ep_/g)).toHaveLength(3);
  });

  it('that do not touch the schedule can be changed, though an endpoint’s has become too long by a shorter retention', async () => {
    const service = anOrganizationService();
    const retry = { maximumAttempts: 30, initialBackoffSeconds: 86_400, maximumBackoffSeconds: 86_400 };
    service.configuration.set(anEndpoint({ policy: { retry } }));
    const change = (policy: object) => service.ask({ method: 'PATCH', path, body: { policy } });
    expect(await change({ rateLimitPerSecond: 5 })).toMatchObject({ statusCode: 200 });
    expect(await change({ timeoutSeconds: 5 })).toMatchObject({ statusCode: 400 });
  });

  it('cannot be used to set the plan', async () => {
    const answer = await anOrganizationService().ask({
      method: 'PATCH',
      path,
      body: { policy: {}, plan: 'enterprise' },
    });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 400, code: 'unknown_field', field: 'plan' });
  });
});

/** Of an endpoint's own: ten attempts over nine days, and thirty over 33. */
const patient = { retry: { initialBackoffSeconds: 3_600, maximumBackoffSeconds: 86_400 } };

function problemOf({ body }: { readonly body: string }) {
  return z.looseObject({ detail: z.string() }).parse(JSON.parse(body));
}

function anOrganizationService(): Service {
  const service = aService();
  service.configuration.setOrganization(anOrganization());
  return service;
}

/** What the operator says of the organization. */
async function say(service: Service, body: object): Promise<unknown> {
  return JSON.parse((await service.ask({ method: 'PUT', path, body, claims: operator })).body);
}
