import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { HttpAnswer } from '../../../lambdas/api/problem.ts';
import type { Policy } from '../../../lambdas/organization/policy.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { aService } from '../api/a-service.ts';
import type { Service } from '../api/a-service.ts';
import { configuration, entry, importInto, saidOf } from './configuration/a-configuration.ts';

const path = '/v1/organizations/org_1';
const one = `${path}/endpoints/${endpointIdOf('one')}`;

/** Thirty attempts over fifteen days. */
const often: Policy = { retry: { maximumAttempts: 30 } };
/** Ten attempts over nine days. */
const patient: Policy = { retry: { initialBackoffSeconds: 3_600, maximumBackoffSeconds: 86_400 } };
/** Events are kept for thirty days; what would outlive them ends as expired, without a word. */
const together = '32.8 days, and events are kept for 30 days';

/** An organization with one endpoint, each with a policy of its own. */
function aWorld({ defaults = {}, own = {} }: { defaults?: Policy; own?: Policy } = {}): Service {
  const service = aService();
  service.configuration.setOrganization(anOrganization({ policy: defaults }));
  service.configuration.set(anEndpoint({ policy: own }));
  return service;
}

function problemOf({ statusCode, body }: HttpAnswer) {
  const problem = z.object({ code: z.string(), field: z.string(), detail: z.string() });
  return { statusCode, ...problem.parse(JSON.parse(body)) };
}

const tooLong = (field: string) => ({
  ...{ statusCode: 400, code: 'schedule_too_long', field },
  detail: expect.stringContaining(together) as unknown,
});

describe('an endpoint whose schedule is too long together with its organization’s defaults', () => {
  test('is not made', async () => {
    const service = aWorld({ defaults: often });
    const body = { url: 'https://two.example.com/hook', policy: patient };
    const answer = await service.ask({ method: 'POST', path: `${path}/endpoints`, body });
    expect(problemOf(answer)).toMatchObject(tooLong('policy.retry'));
  });

  test('is not what a change may make', async () => {
    const service = aWorld({ defaults: often });
    const answer = await service.ask({ method: 'PATCH', path: one, body: { policy: patient } });
    expect(problemOf(answer)).toMatchObject(tooLong('policy.retry'));
  });

  test('can still be switched off and on, when a shorter retention has made it so', async () => {
    const service = aWorld({ defaults: often, own: patient });
    const change = (body: object) => service.ask({ method: 'PATCH', path: one, body });
    expect(await change({ active: false })).toMatchObject({ statusCode: 200 });
    expect(await change({ policy: { rateLimitPerSecond: 5 } })).toMatchObject({ statusCode: 200 });
    expect(await change({ policy: { timeoutSeconds: 20 } })).toMatchObject({ statusCode: 400 });
    expect(await service.ask({ method: 'POST', path: `${one}/resume` })).toMatchObject({ statusCode: 200 });
  });
});

describe('an import that makes a schedule too long', () => {
  const ask = (service: Service, body: object) =>
    service.ask({ method: 'PUT', path: `${path}/import`, body });

  test('by an endpoint that it adds, with the defaults that it brings, is refused', async () => {
    const wanted = { ...configuration(entry('new', { policy: patient })), policy: often };
    expect(problemOf(await ask(aWorld(), wanted))).toMatchObject(tooLong('endpoints.0.policy.retry'));
  });

  test('by an endpoint that it changes, with the defaults that are there, is refused', async () => {
    const wanted = configuration(entry('one', { id: endpointIdOf('one'), policy: patient }));
    expect(problemOf(await ask(aWorld({ defaults: often }), wanted))).toMatchObject(
      tooLong('endpoints.0.policy.retry'),
    );
  });

  test('by new defaults for an endpoint that it leaves as it is, is refused', async () => {
    const service = aWorld();
    const wanted = configuration(entry('kept', { policy: patient }));
    await importInto(service, wanted);
    expect(problemOf(await ask(service, { ...wanted, policy: often }))).toMatchObject(
      tooLong('endpoints.0.policy.retry'),
    );
  });

  test('by new defaults for an endpoint that it does not mention, is refused and names it', async () => {
    const service = aWorld({ own: patient });
    const problem = problemOf(await ask(service, { ...configuration(), policy: often }));
    expect(problem).toMatchObject(tooLong('policy.retry'));
    expect(problem.detail).toContain(endpointIdOf('one'));
    expect(await service.configuration.organizations.get('org_1')).toEqual(anOrganization());
  });

  test('of nobody, since all is as it was when a shorter retention made it too long, is carried out', async () => {
    const service = aWorld({ defaults: often });
    const kept = anEndpoint({ name: 'kept', policy: patient });
    service.configuration.set({ ...kept, name: 'kept' });
    const wanted = configuration(entry('kept', { eventTypes: ['*'], policy: patient }));
    expect(saidOf(await importInto(service, wanted))[0]).toBe('kept unchanged');
  });

  test('of nobody, since it removes that endpoint, is carried out', async () => {
    const service = aWorld({ own: patient });
    const wanted = { ...configuration(), policy: often };
    const done = await importInto(service, wanted, { query: { prune: 'true' } });
    expect(saidOf(done)).toEqual([`${endpointIdOf('one')} removed`]);
  });
});
