import { z } from 'zod';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { Conflict, found } from '../shared/errors.ts';
import { endpointId, jobId, newJobId, organizationId } from '../shared/identifier.ts';
import type { RandomBytes } from '../shared/identifier.ts';
import { pageOf, pageQuery } from '../shared/page.ts';
import type { Page, PageQuery } from '../shared/page.ts';
import { noBody, noQuery, route } from '../shared/route.ts';
import type { Caller, Route } from '../shared/route.ts';
import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { begin } from './begin.ts';
import type { BeginPorts } from './begin.ts';
import { newJob, recoverable, show, shownJob } from './job.ts';
import type { Job } from './job.ts';
import type { Receives } from './receives.ts';
import { millisecondsOf, refuseSpan } from './span.ts';

export interface RecoveryRoutesPorts {
  readonly getEndpoint: (organizationId: string, id: string) => Promise<Endpoint | undefined>;
  readonly receives: Receives;
  readonly jobs: BeginPorts['jobs'] & {
    readonly get: (organizationId: string, id: string) => Promise<Job | undefined>;
    readonly list: (organizationId: string, query: PageQuery) => Promise<Page<Job>>;
    readonly cancel: (organizationId: string, id: string) => Promise<void>;
  };
  readonly start: BeginPorts['start'];
  readonly circumstances: {
    readonly now: Now;
    readonly randomBytes: RandomBytes;
    readonly retentionDays: number;
  };
}

const organizationPath = '/v1/organizations/{organizationId}';
const toOrganization = z.strictObject({ organizationId });
const toJob = z.strictObject({ organizationId, jobId });
const time = z.iso.datetime({ offset: true });
const whole = z
  .strictObject({
    since: time.optional(),
    until: time.optional(),
    dryRun: z.boolean().default(false),
  })
  .meta({ id: 'DeadLetterRecovery' });
const ofEndpoint = whole
  .extend({
    since: time,
    include: z
      .array(recoverable)
      .min(1)
      .max(recoverable.options.length)
      .refine((wanted) => new Set(wanted).size === wanted.length, 'must not have the same entry twice')
      .meta({ uniqueItems: true }),
  })
  .meta({ id: 'EndpointRecovery' });

/** The operations by which what was not delivered is found, and delivered after all. */
export function recoveryRoutes(ports: RecoveryRoutesPorts): Route[] {
  return [
    recoverRoute(ports),
    deadLettersRoute(ports),
    listRoute(ports),
    getRoute(ports),
    cancelRoute(ports),
  ];
}

function recoverRoute(ports: RecoveryRoutesPorts): Route {
  return route({
    method: 'POST',
    path: `${organizationPath}/endpoints/{endpointId}/recover`,
    operationId: 'recoverEndpoint',
    summary: 'Deliver what an endpoint did not get in a span of time, at a pace; a dry run only counts',
    scope: 'webhooks:write',
    entitlement: 'write',
    params: toOrganization.extend({ endpointId }),
    query: noQuery,
    body: ofEndpoint,
    rules: (sound) => {
      refuseSpan(sound, ports.circumstances.now());
    },
    answer: { status: 202, schema: shownJob, location: `${organizationPath}/jobs/{id}` },
    heedsIdempotencyKey: true,
    leavesConfiguration: true,
    handle: async ({ params, body, caller, audited }) => {
      const endpoint = await found(ports.getEndpoint(params.organizationId, params.endpointId), 'endpoint');
      const job = jobOf(ports, { ...params, ...body }, caller);
      if (!job.dryRun && !(await ports.receives(params.organizationId, endpoint.id))) {
        throw new Conflict('endpoint_disabled', 'Switch the endpoint on first: it receives nothing now.');
      }
      return show(await audited(undefined, () => begin(ports, job), show));
    },
  });
}

function deadLettersRoute(ports: RecoveryRoutesPorts): Route {
  return route({
    method: 'POST',
    path: `${organizationPath}/dead-letters/recover`,
    operationId: 'recoverDeadLetters',
    summary: 'Deliver all dead deliveries of the organization again, to the endpoints that receive now',
    scope: 'webhooks:write',
    entitlement: 'write',
    params: toOrganization,
    query: noQuery,
    body: whole.prefault({}),
    rules: (sound) => {
      refuseSpan(sound, ports.circumstances.now());
    },
    answer: { status: 202, schema: shownJob, location: `${organizationPath}/jobs/{id}` },
    heedsIdempotencyKey: true,
    leavesConfiguration: true,
    handle: async ({ params, body, caller, audited }) => {
      const job = jobOf(ports, { ...params, ...body, include: ['dead'] }, caller);
      return show(await audited(undefined, () => begin(ports, job), show));
    },
  });
}

interface Wish extends z.output<typeof whole> {
  readonly organizationId: string;
  readonly endpointId?: string;
  readonly include: Job['include'];
}

/** @throws InvalidRequest when the span holds nothing. */
function jobOf({ circumstances }: RecoveryRoutesPorts, wish: Wish, { subject }: Caller): Job {
  const { now, randomBytes, retentionDays } = circumstances;
  const nowMs = now();
  refuseSpan(wish, nowMs);
  const { sinceMs, untilMs } = millisecondsOf(wish, nowMs);
  const span = { since: isoTime(sinceMs), until: isoTime(untilMs) };
  const id = newJobId(nowMs, randomBytes);
  return newJob({ ...wish, ...span, id, requestedBy: subject }, nowMs, retentionDays);
}

function listRoute({ jobs }: RecoveryRoutesPorts): Route {
  return route({
    method: 'GET',
    path: `${organizationPath}/jobs`,
    operationId: 'listJobs',
    summary: 'Recoveries, newest first',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: toOrganization,
    query: pageQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(shownJob) },
    handle: async ({ params, query }) => {
      const page = await jobs.list(params.organizationId, query);
      return { ...page, data: page.data.map(show) };
    },
  });
}

function getRoute({ jobs }: RecoveryRoutesPorts): Route {
  return route({
    method: 'GET',
    path: `${organizationPath}/jobs/{jobId}`,
    operationId: 'getJob',
    summary: 'A recovery: how far it is, what it has found and sent',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: toJob,
    query: noQuery,
    body: noBody,
    answer: { status: 200, schema: shownJob },
    handle: async ({ params }) => show(await found(jobs.get(params.organizationId, params.jobId), 'job')),
  });
}

function cancelRoute({ jobs }: RecoveryRoutesPorts): Route {
  return route({
    method: 'POST',
    path: `${organizationPath}/jobs/{jobId}/cancel`,
    operationId: 'cancelJob',
    summary: 'End a recovery before its next page; what it has sent is on its way',
    scope: 'webhooks:write',
    entitlement: 'write',
    params: toJob,
    query: noQuery,
    body: noBody,
    answer: { status: 200, schema: shownJob },
    leavesConfiguration: true,
    handle: async ({ params, audited }) => {
      const before = await found(jobs.get(params.organizationId, params.jobId), 'job');
      const work = async () => {
        await jobs.cancel(params.organizationId, before.id);
        const after = await found(jobs.get(params.organizationId, before.id), 'job');
        if (after.status !== 'finished') return after;
        throw new Conflict('job_finished', 'It has ended: there is nothing to cancel.');
      };
      return show(await audited(show(before), work, show));
    },
  });
}
