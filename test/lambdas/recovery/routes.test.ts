import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import { show } from '../../../lambdas/recovery/job.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf, eventIdOf } from '../../fakes/ids.ts';
import { aJob } from '../../fakes/jobs.ts';
import { aService } from '../api/a-service.ts';
import type { Service } from '../api/a-service.ts';

const hourMs = 3_600_000;
const path = '/v1/organizations/org_1';
const since = isoTime(testStartMs - hourMs);
const everything = { since, include: ['dead', 'discarded', 'missing'] };

const looked = z.looseObject({ id: z.string().default(''), code: z.string().optional() });

function aPlace(given: Parameters<typeof aService>[0] = {}) {
  const service = aService(given);
  service.configuration.setOrganization(anOrganization());
  service.configuration.set(anEndpoint());
  const ask = async (method: 'GET' | 'POST', below: string, body?: unknown) => {
    const answer = await service.ask({ method, path: path + below, body });
    return { status: answer.statusCode, body: looked.parse(JSON.parse(answer.body)) };
  };
  return {
    ...service,
    ask,
    recover: (body: unknown) => ask('POST', `/endpoints/${endpointIdOf('one')}/recover`, body),
    recoverAll: (body?: unknown) => ask('POST', '/dead-letters/recover', body),
  };
}

const jobsOf = async ({ jobs }: Pick<Service, 'jobs'>) => (await jobs.list('org_1', { limit: 9 })).data;

describe('recovering an endpoint', () => {
  test('makes a job and has it worked on', async () => {
    const place = aPlace();
    const { status, body } = await place.recover(everything);
    expect(status).toBe(202);
    const [job] = await jobsOf(place);
    expect(job).toMatchObject({
      endpointId: endpointIdOf('one'),
      since,
      until: isoTime(testStartMs),
      include: everything.include,
      dryRun: false,
      status: 'running',
      requestedBy: 'user_5',
    });
    expect(body).toEqual(job && show(job));
    expect(place.started).toEqual([{ v: 1, organizationId: 'org_1', jobId: job?.id }]);
  });

  test('takes time with any offset, and keeps it in UTC', async () => {
    const place = aPlace();
    await place.recover({ ...everything, since: '2026-11-23T09:30:00+02:00', until: '2026-11-23T08:00:00Z' });
    const [job] = await jobsOf(place);
    expect(job).toMatchObject({ since: '2026-11-23T07:30:00.000Z', until: '2026-11-23T08:00:00.000Z' });
  });

  test.each([
    ['nothing to look for', { include: [] }, 'include'],
    ['the same twice', { include: ['dead', 'dead'] }, 'include'],
    ['what cannot be recovered', { include: ['delivered'] }, 'include.0'],
    ['no beginning', { since: undefined }, 'since'],
    ['a beginning that is no time', { since: 'yesterday' }, 'since'],
    ['a beginning in the future', { since: isoTime(testStartMs + 1) }, 'since'],
    ['an end before the beginning', { until: isoTime(testStartMs - 2 * hourMs) }, 'until'],
    ['an end at the beginning', { until: since }, 'until'],
    ['an end without an offset', { until: '2026-11-23T10:00:00' }, 'until'],
    ['a dry run that is neither', { dryRun: 'yes' }, 'dryRun'],
  ])('refuses %s, and names the field', async (_, wrong, field) => {
    const place = aPlace();
    const { status, body } = await place.recover({ ...everything, ...wrong });
    expect([status, body['code'], body['field']]).toEqual([400, 'invalid_request', field]);
    expect(await jobsOf(place)).toEqual([]);
    expect(place.started).toEqual([]);
  });

  test('tells of a span that ends before it begins together with what else is wrong', async () => {
    const wrong = { since, until: isoTime(testStartMs - 2 * hourMs), include: ['nope'] };
    const { body } = await aPlace().recover(wrong);
    expect(body['errors']).toMatchObject([{ field: 'include.0' }, { field: 'until' }]);
  });

  test('takes all there is to look for', async () => {
    const place = aPlace();
    const include = ['dead', 'discarded', 'missing', 'not_entitled'];
    expect((await place.recover({ since, include })).status).toBe(202);
    expect(await jobsOf(place)).toMatchObject([{ include }]);
  });

  test.each([
    [
      'that its owner has switched off',
      (place: Pick<Service, 'configuration' | 'health'>) => {
        place.configuration.set(anEndpoint({ active: false }));
      },
    ],
    [
      'that we have switched off',
      (place: Pick<Service, 'configuration' | 'health'>) => {
        void place.health.replace(endpointIdOf('one'), well, {
          ...well,
          off: { at: since, reason: 'failing' },
        });
      },
    ],
  ])('refuses an endpoint %s, but counts for it', async (_, switchOff) => {
    const place = aPlace();
    switchOff(place);
    expect(await place.recover(everything)).toMatchObject({
      status: 409,
      body: { code: 'endpoint_disabled' },
    });
    expect(place.started).toEqual([]);
    expect((await place.recover({ ...everything, dryRun: true })).status).toBe(202);
  });

  test('refuses a second one while one runs, and not once it has ended', async () => {
    const place = aPlace();
    const { body: first } = await place.recover(everything);
    expect(await place.recover(everything)).toMatchObject({ status: 409, body: { code: 'job_running' } });
    // Another kind is another matter.
    expect((await place.recoverAll()).status).toBe(202);
    expect(await place.recoverAll()).toMatchObject({ status: 409, body: { code: 'job_running' } });
    await place.ask('POST', `/jobs/${first.id}/cancel`);
    expect((await place.recover(everything)).status).toBe(202);
  });

  // A job without a message would say for ever that it is running.
  test('leaves nothing when its message is not taken', async () => {
    const place = aPlace({ start: () => Promise.reject(new Error('SQS did not take the message')) });
    expect((await place.recover(everything)).status).toBe(500);
    expect(await jobsOf(place)).toEqual([]);
  });
});

describe('recovering the dead letters', () => {
  test('of an organization needs no more than to be asked for, and takes all of them', async () => {
    const place = aPlace();
    const { status, body } = await place.recoverAll();
    expect(status).toBe(202);
    expect(body).toMatchObject({ include: ['dead'], since: isoTime(0), until: isoTime(testStartMs) });
    expect(body).not.toHaveProperty('endpointId');
  });

  test('takes no choice of what to include', async () => {
    const answer = await aPlace().recoverAll({ include: ['missing'] });
    expect(answer).toMatchObject({ status: 400, body: { code: 'unknown_field', field: 'include' } });
  });
});

describe('jobs', () => {
  test('are listed, the newest first', async () => {
    const place = aPlace();
    const { body: first } = await place.recover(everything);
    place.clock.pass(1_000);
    const { body: second } = await place.recoverAll();
    const { body } = await place.ask('GET', '/jobs');
    expect(body).toMatchObject({ data: [{ id: second.id }, { id: first.id }], nextCursor: null });
  });

  test('show how far they are by the time of the event that was looked at last', () => {
    const cursor = { eventId: eventIdOf('half', testStartMs - hourMs / 2), endpointId: endpointIdOf('one') };
    expect(show(aJob({ since })).progress).toBe(0);
    expect(show(aJob({ since, cursor })).progress).toBe(0.5);
    expect(show(aJob({ since, cursor, status: 'cancelled' })).progress).toBe(0.5);
    expect(show(aJob({ since, cursor, status: 'finished' })).progress).toBe(1);
    // From the oldest event that is kept, not from the year 1970.
    expect(show(aJob({ since: isoTime(0), cursor })).progress).toBe(0.999);
    const half = { ...cursor, eventId: eventIdOf('x', testStartMs - 15 * 24 * hourMs) };
    expect(show(aJob({ since: isoTime(0), cursor: half })).progress).toBe(0.5);
  });

  test('show nothing of what only the worker needs', () => {
    const shown = show(aJob());
    for (const inner of ['outbox', 'cursor', 'version', 'notBefore', 'expiresAt']) {
      expect(shown).not.toHaveProperty(inner);
    }
  });

  test('are cancelled once, and again without harm, but not after their end', async () => {
    const place = aPlace();
    const { body: job } = await place.recover(everything);
    for (let times = 0; times < 2; times += 1) {
      const answer = await place.ask('POST', `/jobs/${job.id}/cancel`);
      expect(answer).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    }
    const finished = aJob({ status: 'finished' });
    await place.jobs.add(finished);
    const answer = await place.ask('POST', `/jobs/${finished.id}/cancel`);
    expect(answer).toMatchObject({ status: 409, body: { code: 'job_finished' } });
  });
});
