import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { aService, operator } from '../api/a-service.ts';
import type { Service } from '../api/a-service.ts';

const path = '/v1/organizations/org_1';
const dayMs = 86_400_000;
const organization = z.looseObject({ missed: z.object({ since: z.string(), until: z.string() }).optional() });

async function plan({ ask }: Service, name: string) {
  const answer = await ask({ method: 'PUT', path, body: { plan: name }, claims: operator });
  return organization.parse(JSON.parse(answer.body));
}

/** An organization that was entitled, was not for a day, and is again; its endpoint `two` is off. */
async function aReturned() {
  const service = aService();
  await plan(service, 'enterprise');
  service.configuration.set(anEndpoint({ name: 'one' }));
  service.configuration.set(anEndpoint({ name: 'two', active: false }));
  await plan(service, 'team');
  service.clock.pass(dayMs);
  const returned = await plan(service, 'enterprise');
  service.clock.pass(3_600_000);
  const recover = async (body?: object) => {
    const answer = await service.ask({ method: 'POST', path: `${path}/missed/recover`, body });
    return { status: answer.statusCode, body: z.looseObject({}).parse(JSON.parse(answer.body)) };
  };
  return { ...service, service, returned, recover };
}

const jobsOf = async ({ jobs }: Service) => (await jobs.list('org_1', { limit: 9 })).data;

describe('an organization that is entitled again', () => {
  test('is offered what it missed, and gets it by a job for each endpoint that is on', async () => {
    const { service, returned, recover, started } = await aReturned();
    const until = isoTime(testStartMs + dayMs);
    // It was made and lost its plan in the same millisecond, and no two states have the same time.
    expect(returned.missed).toEqual({ since: isoTime(testStartMs + 1), until });
    const { status, body } = await recover();
    expect(status).toBe(202);
    const jobs = await jobsOf(service);
    expect(jobs).toMatchObject([
      { endpointId: endpointIdOf('one'), include: ['not_entitled'], dryRun: false, status: 'running' },
    ]);
    expect(body).toMatchObject({ data: [{ id: jobs[0]?.id }] });
    expect(started).toHaveLength(1);
    // Events that were waiting for a retry when the plan ended, and those that were routed on an old answer.
    expect(Date.parse(jobs[0]?.since ?? '')).toBeLessThan(testStartMs - dayMs);
    expect(Date.parse(jobs[0]?.until ?? '')).toBeGreaterThan(testStartMs + dayMs);
  });

  test('is offered it no longer once it has been asked for', async () => {
    const { service, recover } = await aReturned();
    await recover();
    expect(JSON.parse((await service.ask({ path })).body)).not.toHaveProperty('missed');
    expect(await recover()).toMatchObject({ status: 409, body: { code: 'nothing_missed' } });
  });

  test('may count first: a dry run leaves the offer', async () => {
    const { service, recover } = await aReturned();
    expect(await recover({ dryRun: true })).toMatchObject({ status: 202 });
    expect(await jobsOf(service)).toMatchObject([{ dryRun: true }]);
    expect(organization.parse(JSON.parse((await service.ask({ path })).body)).missed).toBeDefined();
  });

  test('is not given a second job for an endpoint of which one is running, and stays offered', async () => {
    const { service, recover } = await aReturned();
    await recover({ dryRun: true });
    expect(await recover()).toMatchObject({ status: 202, body: { data: [] } });
    expect(await jobsOf(service)).toHaveLength(1);
    expect(organization.parse(JSON.parse((await service.ask({ path })).body)).missed).toBeDefined();
  });
});
