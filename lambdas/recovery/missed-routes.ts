import { z } from 'zod';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { Organization } from '../organization/organization.ts';
import { effectivePolicy, scheduleSeconds } from '../organization/policy.ts';
import { Conflict, found } from '../shared/errors.ts';
import { newJobId, organizationId } from '../shared/identifier.ts';
import { noQuery, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { isoTime } from '../shared/time.ts';
import { beginAll } from './begin.ts';
import { newJob, show, shownJob } from './job.ts';
import type { Job } from './job.ts';
import type { RecoveryRoutesPorts } from './routes.ts';

export interface MissedRoutesPorts extends Pick<RecoveryRoutesPorts, 'jobs' | 'start' | 'circumstances'> {
  readonly organizations: {
    readonly get: (id: string) => Promise<Organization | undefined>;
    readonly replace: (before: Organization | undefined, after: Organization) => Promise<boolean>;
  };
  /** All endpoints of an organization. */
  readonly endpointsOf: (organizationId: string) => Promise<readonly Endpoint[]>;
}

/** Functions that route events may know for so long of no plan. */
const seenMsMax = 60_000;

const missedRecovery = z
  .strictObject({ dryRun: z.boolean().default(false) })
  .meta({ id: 'MissedRecovery' })
  .prefault({});

const begunJobs = z.strictObject({ data: z.array(shownJob) }).meta({ id: 'BegunJobs' });

/** The operation that gives an organization which is entitled again what it missed meanwhile. */
export function missedRoutes(ports: MissedRoutesPorts): Route[] {
  const { organizations, endpointsOf, circumstances } = ports;
  const recoverMissed = route({
    method: 'POST',
    path: '/v1/organizations/{organizationId}/missed/recover',
    operationId: 'recoverMissed',
    summary:
      'Deliver what was not delivered because there was no plan for it: a job for each endpoint that is on',
    scope: 'webhooks:write',
    entitlement: 'write',
    params: z.strictObject({ organizationId }),
    query: noQuery,
    body: missedRecovery,
    answer: {
      status: 202,
      schema: begunJobs,
      location: '/v1/organizations/{organizationId}/jobs',
    },
    heedsIdempotencyKey: true,
    handle: async ({ params, body, caller, audited }) => {
      const organization = await found(organizations.get(params.organizationId), 'organization');
      const { missed, ...rest } = organization;
      if (missed === undefined) {
        throw new Conflict('nothing_missed', 'The organization has missed nothing that was not recovered.');
      }
      const active = (await endpointsOf(organization.id)).filter((endpoint) => endpoint.active);
      const wish = { organization, missed, dryRun: body.dryRun, requestedBy: caller.subject };
      const wanted = active.map((endpoint) => jobOf(circumstances, endpoint, wish));
      const work = () => beginAll(ports, organization.id, wanted);
      const begun = await audited({ missed }, work, (jobs) => jobs.map(({ id }) => id));
      // Offered no longer, unless an endpoint was left out. Should somebody else be writing at this moment, it stays
      // offered, which does no harm: what has been delivered since is not lacking any more.
      const isWhole = !body.dryRun && begun.length === wanted.length;
      const updatedAt = isoTime(circumstances.now());
      if (isWhole) await organizations.replace(organization, { ...rest, updatedAt });
      return { data: begun.map(show) };
    },
  });
  return [recoverMissed];
}

interface Wish extends Pick<Job, 'dryRun' | 'requestedBy'> {
  readonly organization: Organization;
  readonly missed: NonNullable<Organization['missed']>;
}

/** What had been waiting when the plan ended was discarded, too: it had happened up to a whole schedule before. */
function jobOf(
  { now, randomBytes, retentionDays }: RecoveryRoutesPorts['circumstances'],
  endpoint: Endpoint,
  { organization, missed, ...wish }: Wish,
): Job {
  const nowMs = now();
  const scheduleMs = scheduleSeconds(effectivePolicy(endpoint.policy, organization.policy)) * 1000;
  const job = {
    ...wish,
    id: newJobId(nowMs, randomBytes),
    organizationId: organization.id,
    endpointId: endpoint.id,
    since: isoTime(Math.max(0, Math.floor(Date.parse(missed.since) - scheduleMs))),
    until: isoTime(Date.parse(missed.until) + seenMsMax),
    include: ['not_entitled' as const],
  };
  return newJob(job, nowMs, retentionDays);
}
