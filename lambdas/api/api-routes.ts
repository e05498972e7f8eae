import type { Recipient } from '../delivery/decide.ts';
import { deliveryRoutes } from '../delivery/routes.ts';
import type { DeliveryRoutesPorts } from '../delivery/routes.ts';
import { testing } from '../delivery/test-routes.ts';
import { certificateRoutes } from '../endpoint/certificate-routes.ts';
import { configurationRoutes } from '../endpoint/configuration/configuration-routes.ts';
import type { ResumePorts } from '../endpoint/health/resume.ts';
import type { Rules } from '../endpoint/judge.ts';
import type { RegisterPorts } from '../endpoint/register.ts';
import { endpointRoutes } from '../endpoint/routes.ts';
import type { EndpointRoutesPorts } from '../endpoint/routes.ts';
import { secretRoutes } from '../endpoint/secret-routes.ts';
import type { Subscribers } from '../endpoint/subscribers.ts';
import { catalogueOf } from '../event/catalogue.ts';
import type { EventTypePorts } from '../event/replace-type.ts';
import { eventRoutes } from '../event/routes.ts';
import type { EventRoutesPorts } from '../event/routes.ts';
import { eventTypeRoutes } from '../event/type-routes.ts';
import { organizationRoutes } from '../organization/routes.ts';
import type { OrganizationRoutesPorts } from '../organization/routes.ts';
import { missedRoutes } from '../recovery/missed-routes.ts';
import { receivesBy } from '../recovery/receives.ts';
import { recoveryRoutes } from '../recovery/routes.ts';
import type { RecoveryRoutesPorts } from '../recovery/routes.ts';
import { previewRoutes } from '../routing/preview-routes.ts';
import type { Log } from '../shared/log.ts';
import type { Route } from '../shared/route.ts';
import type { Now } from '../shared/time.ts';
import { ensureKey } from '../signing/rotate-keys.ts';
import type { KeyPorts } from '../signing/rotate-keys.ts';
import { signingRoutes } from '../signing/routes.ts';
import { auditRoutes } from './audit/audit-routes.ts';
import type { AuditRoutesPorts } from './audit/audit-routes.ts';
import { documentRoutes } from './document-routes.ts';

/** What the API reaches, by what it is: which operation needs which of it is said below. */
export interface ApiRoutesPorts {
  readonly organizations: OrganizationRoutesPorts['organizations'];
  readonly endpoints: RegisterPorts['endpoints'] & EndpointRoutesPorts['endpoints'];
  readonly readSubscribers: (organizationId: string) => Promise<Subscribers>;
  readonly readRecipient: (organizationId: string, endpointId: string) => Promise<Recipient>;
  readonly health: EndpointRoutesPorts['health'] & ResumePorts['health'];
  readonly secrets: RegisterPorts['secrets'];
  readonly signing: Omit<KeyPorts, 'now'>;
  readonly eventTypes: EventTypePorts['eventTypes'];
  readonly events: {
    readonly get: DeliveryRoutesPorts['getEvent'];
    readonly list: EventRoutesPorts['listEvents'];
  };
  readonly publications: EventRoutesPorts['publications'];
  /** Puts what is published, and what operators are told, on the bus. */
  readonly publish: EventRoutesPorts['publish'];
  readonly deliveries: DeliveryRoutesPorts['deliveries'];
  /** Has a delivery attempted. */
  readonly send: DeliveryRoutesPorts['send'];
  readonly jobs: RecoveryRoutesPorts['jobs'];
  /** Has a job worked on. */
  readonly start: RecoveryRoutesPorts['start'];
  /** Has the rows of an endpoint looked after. */
  readonly startDrain: ResumePorts['startDrain'];
  readonly listAudit: AuditRoutesPorts['listAudit'];
  readonly rules: Omit<Rules, 'listEventTypes'> & Pick<EventRoutesPorts, 'schemas'>;
  readonly chance: RegisterPorts['chance'];
  readonly now: Now;
  readonly log: Log;
}

/**
 * All operations of the API, and those that describe them; `…/test`, which a function of its own serves, is described
 * with them.
 */
export function apiRoutes(ports: ApiRoutesPorts): Route[] {
  const routes = [
    ...organizationRoutes(organizationPorts(ports)),
    ...routesOfEndpoints(ports),
    ...signingRoutes({ ...ports.signing, now: ports.now }),
    ...eventTypeRoutes(ports),
    ...routesOfEvents(ports),
    ...routesOfRecovery(ports),
    ...auditRoutes(ports),
  ];
  return [...routes, ...documentRoutes([...routes, testing])];
}

function organizationPorts({
  organizations,
  readSubscribers,
  rules,
  now,
}: ApiRoutesPorts): OrganizationRoutesPorts {
  return {
    organizations,
    listPolicies: async (organizationId) => {
      const { endpoints } = await readSubscribers(organizationId);
      return endpoints.map(({ id: endpointId, policy }) => ({ endpointId, policy }));
    },
    now,
    retentionDays: rules.retentionDays,
  };
}

function routesOfEndpoints(ports: ApiRoutesPorts): Route[] {
  const {
    organizations,
    endpoints,
    health,
    readSubscribers,
    publish: announce,
    startDrain,
    now,
    log,
  } = ports;
  const registration = registrationOf(ports);
  const resumption: ResumePorts = { health, announce, startDrain, now, log };
  const common = { registration, resumption };
  return [
    ...endpointRoutes({ ...common, endpoints, health, getOrganization: organizations.get }),
    ...configurationRoutes({
      ...{ ...common, readSubscribers, log },
      forgetHealth: health.forget,
      replaceOrganization: organizations.replace,
    }),
    ...certificateRoutes({ registration, getEndpoint: endpoints.get }),
    ...secretRoutes({ registration, getEndpoint: endpoints.get, announce, log }),
  ];
}

function registrationOf(ports: ApiRoutesPorts): RegisterPorts {
  const { endpoints, secrets, signing, eventTypes, rules, chance, now } = ports;
  return {
    ...{ endpoints, secrets, chance, now },
    rules: { ...rules, listEventTypes: eventTypes.list },
    ensureKey: (organizationId) => ensureKey({ ...signing, now }, organizationId),
  };
}

function routesOfEvents(ports: ApiRoutesPorts): Route[] {
  const { endpoints, health, events, eventTypes, publish, deliveries, send, readSubscribers, now } = ports;
  const { schemas, retentionDays } = ports.rules;
  return [
    ...eventRoutes({
      listEventTypes: eventTypes.list,
      listEvents: events.list,
      newUuid: ports.chance.newUuid,
      publications: ports.publications,
      ...{ publish, now, schemas, retentionDays },
    }),
    ...deliveryRoutes({
      getEndpoint: endpoints.get,
      readHealth: health.readLatest,
      getEvent: events.get,
      ...{ deliveries, send },
    }),
    ...previewRoutes({
      readHealth: health.read,
      readCatalogue: async () => catalogueOf(await eventTypes.list()),
      ...{ readSubscribers, schemas },
    }),
  ];
}

function routesOfRecovery(ports: ApiRoutesPorts): Route[] {
  const { organizations, endpoints, health, readSubscribers, readRecipient, jobs, start, now } = ports;
  const { randomBytes } = ports.chance;
  const circumstances = { now, randomBytes, retentionDays: ports.rules.retentionDays };
  return [
    ...missedRoutes({
      ...{ organizations, jobs, start, circumstances },
      endpointsOf: async (organizationId) => (await readSubscribers(organizationId)).endpoints,
    }),
    ...recoveryRoutes({
      ...{ jobs, start, circumstances },
      getEndpoint: endpoints.get,
      receives: receivesBy({ readRecipient, readHealth: health.readLatest }),
    }),
  ];
}
