import type { Health } from '../../../lambdas/endpoint/health/health.ts';
import type { Dossier, Request } from '../book.ts';
import type { History } from '../history.ts';
import { crowdOrganizationId } from '../names.ts';
import { policiesOf, staleMsMax } from '../settings.ts';
import type { Beliefs } from '../settings.ts';
import type { Lateness } from '../weather.ts';
import type { World } from '../world.ts';
import type { Check, Checks } from './check.ts';

export interface StartFacts {
  readonly world: World;
  readonly request: Request;
  readonly dossier: Dossier;
  readonly beliefs: Beliefs;
}

/**
 * Longer than a drain takes from a step to the next one, and its messages to be looked at: within this time starts what
 * may start, the lateness of each lane added once.
 */
const startMsMax = 25_000;

/**
 * I16: of an endpoint that no pace holds, an attempt begins within a stated time of the moment from which on it may:
 * when its time has come, when the endpoint is not paused any more, when somebody has switched it on.
 */
const startsInTime: Check<StartFacts> = ({ world, request, dossier, beliefs }) => {
  const { dueAtMs } = dossier;
  const { book, weather } = world;
  // What is forgotten within minutes may come again.
  if (!weather.isPunctual || world.retentionDays < 30 || dueAtMs === undefined) return undefined;
  if (dossier.askedFor + book.redrives > 0) return undefined;
  // Somebody has changed it: with a secret that is gone at once, what is under way is put off for a minute.
  if (book.endpoint(request.endpointId).between(dueAtMs - staleMsMax, request.atMs).length > 1)
    return undefined;
  // A crowd comes by its pace, or by the ramp (of-paces.ts).
  if (book.endpoint(request.endpointId).latest?.organizationId === crowdOrganizationId) return undefined;
  if (policiesOf(beliefs).some(({ rateLimitPerSecond }) => rateLimitPerSecond !== null)) return undefined;
  const freeMs = freeSinceMs(book.health(request.endpointId), dueAtMs, request.atMs);
  if (freeMs === undefined) return undefined;
  const { deliveries, retries, recovery } = weather.lateness;
  const lateMs =
    request.atMs - Math.max(dueAtMs, freeMs) - latest(deliveries) - latest(retries) - latest(recovery);
  return lateMs > startMsMax
    ? `an attempt began ${Math.round(lateMs / 1000)} s later than it might have`
    : undefined;
};

function latest({ constantMs, spreadMs }: Lateness = { constantMs: 0, spreadMs: 0 }): number {
  return constantMs + spreadMs;
}

/** Since when an endpoint has not been paused; nothing when it was slow meanwhile, and held to its share. */
function freeSinceMs(health: History<Health>, fromMs: number, untilMs: number): number | undefined {
  if (health.between(fromMs, untilMs).some(({ slow }) => slow !== undefined)) return undefined;
  // Whoever probes might have done so since the pause was over.
  const paused = health.all().findLast(({ pause }) => pause?.probing === undefined);
  if (health.latest.pause?.probing === true) return Date.parse(paused?.pause?.until ?? '');
  return health.lastMs(({ pause, off }) => pause !== undefined || off !== undefined, untilMs);
}

export const ofStart: Checks<StartFacts> = [['I16', startsInTime]];
