import { apiRoutes } from '../../../lambdas/api/api-routes.ts';
import { makeLimitRate } from '../../../lambdas/api/rate-limit.ts';
import type { LimitRate } from '../../../lambdas/api/rate-limit.ts';
import { serve } from '../../../lambdas/api/serve.ts';
import type { HttpRequest, ServePorts } from '../../../lambdas/api/serve.ts';
import type { HttpAnswer } from '../../../lambdas/api/problem.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import { prepare } from '../../../lambdas/request/prepare.ts';
import type { PreparePorts } from '../../../lambdas/request/prepare.ts';
import { testRoutes } from '../../../lambdas/delivery/test-routes.ts';
import type { StartDrain } from '../../../lambdas/endpoint/health/say.ts';
import { defaultTargetRules } from '../../fakes/target-rules.ts';
import type { PublishedEntry } from '../../../lambdas/event/publication/publish-once.ts';
import { makePublicationStore } from '../../../lambdas/event/publication/store.ts';
import { makeEventTypeStore } from '../../../lambdas/event/store.ts';
import type { SchemaRule } from '../../../lambdas/event/schema.ts';
import type { Organization } from '../../../lambdas/organization/organization.ts';
import type { JobMessage } from '../../../lambdas/recovery/job.ts';
import type { Route } from '../../../lambdas/shared/route.ts';
import type { Now } from '../../../lambdas/shared/time.ts';
import type { ReadSecret, SecretName, SecretWriter } from '../../../lambdas/signing/secret.ts';
import { memoryAudit, memoryRequests, memoryTakeRequests } from '../../fakes/api-habits.ts';
import { aClock } from '../../fakes/clock.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { memoryHealth } from '../../fakes/health.ts';
import { memoryJobs } from '../../fakes/jobs.ts';
import { memoryLedger } from '../../fakes/ledger.ts';
import { memoryLog } from '../../fakes/log.ts';
import { scriptedReceiver } from '../../fakes/receiver.ts';
import { checkAsDescribed } from './described.ts';
import { soon } from '../../fakes/soon.ts';
import { memoryTables } from '../../fakes/table/memory-tables.ts';
import { aSigning } from '../signing/a-signing.ts';

export const retentionDays = 30;

interface Parts {
  readonly configuration: ReturnType<typeof memoryConfiguration>;
  readonly secrets: MemorySecretStore;
  readonly publish: (entry: PublishedEntry) => Promise<void>;
  readonly start: (message: JobMessage) => Promise<void>;
  readonly requestsPerMinute: number;
  readonly schemas: SchemaRule;
  readonly endpointsMax: number;
  readonly countTest: () => Promise<boolean>;
}

/** The API with the routes that the handler serves; behind it everything is in memory and can be looked at. */
export function aService(given: Partial<Parts> = {}) {
  const clock = aClock();
  const tables = memoryTables({ now: clock.now });
  const { configuration = memoryConfiguration(tables), secrets = memorySecretStore() } = given;
  const ledger = memoryLedger(clock.now, tables);
  const health = memoryHealth(clock.now, tables);
  const jobs = memoryJobs(clock.now, tables);
  const eventTypes = makeEventTypeStore(tables.client, tables.config);
  const signing = aSigning(clock.now);
  const audit = memoryAudit();
  const requests = memoryRequests(clock.now);
  const { log, lines } = memoryLog();
  const published: PublishedEntry[] = [];
  const sent: DeliveryMessage[] = [];
  const started: JobMessage[] = [];
  const drained: Parameters<StartDrain>[] = [];
  const keep = (entry: PublishedEntry) => Promise.resolve(void published.push(entry));
  const publish = given.publish ?? keep;
  const { organizations, endpoints } = configuration;
  const preparation: PreparePorts = {
    readSecret: secrets.read,
    readSigningKeys: signing.keys.list,
    signDigest: signing.signDigest,
    issuer: 'https://api.example.com',
    now: clock.now,
  };
  const receiver = scriptedReceiver(clock, 0);
  receiver.always(200);
  const start = (message: JobMessage) => Promise.resolve(void started.push(message));
  const routes: Route[] = [
    ...apiRoutes({
      ...{ organizations, endpoints, health, secrets, signing, eventTypes, jobs, publish, log },
      readSubscribers: configuration.readSubscribers,
      readRecipient: configuration.readRecipient,
      events: ledger.events,
      publications: makePublicationStore(tables.client, tables.ledger, clock.now),
      deliveries: ledger.deliveries,
      send: (message) => Promise.resolve(void sent.push(message)),
      start: given.start ?? start,
      startDrain: (...asked) => Promise.resolve(void drained.push(asked)),
      listAudit: audit.list,
      rules: {
        target: defaultTargetRules,
        retentionDays,
        endpointsMax: given.endpointsMax ?? 1_000,
        schemas: given.schemas ?? 'warn',
      },
      chance: aChance(),
      now: clock.now,
    }),
    // Served by a function of its own, behind the same gate.
    ...testRoutes({
      readRecipient: configuration.readRecipient,
      sending: {
        countTest: given.countTest ?? (() => Promise.resolve(true)),
        prepare: (endpoint, unsigned) => prepare(preparation, endpoint, unsigned),
        post: receiver.post,
        record: ledger.record,
        circumstances: {
          now: clock.now,
          randomBytes: aChance().randomBytes,
          targetRules: defaultTargetRules,
          retentionDays,
          log,
        },
      },
    }),
  ];
  const ports: ServePorts = {
    getOrganization: organizations.get,
    claimNames: { organization: 'organizationId', scope: 'scope' },
    now: clock.now,
    log,
    routes,
    limitRate: limitRateOf(given, clock.now),
    habits: {
      readCursorKey: () => Promise.resolve(cursorKey),
      once: { requests, now: clock.now, randomBytes: aChance().randomBytes },
      audit: {
        entries: audit,
        sayChanged: configuration.sayChanged,
        now: clock.now,
        randomBytes: aChance().randomBytes,
        log,
      },
    },
  };
  const ask = async (wish: Wish): Promise<HttpAnswer> => {
    const answer = await serve(ports, aRequest(wish));
    const { method = 'GET', path, body } = wish;
    checkAsDescribed(routes, { method, path, body: typeof body === 'string' ? undefined : body, answer });
    return answer;
  };
  const looks = {
    tables,
    configuration,
    health,
    secrets,
    signing,
    ledger,
    jobs,
    eventTypes,
    audit,
    requests,
  };
  return { ask, ports, routes, clock, receiver, ...looks, lines, published, sent, started, drained };
}

export type Service = ReturnType<typeof aService>;

/** Nobody is limited unless a test asks for it: room for ten thousand callers takes longer than all the rest. */
function limitRateOf({ requestsPerMinute }: Partial<Parts>, now: Now): LimitRate {
  if (requestsPerMinute === undefined) return () => Promise.resolve();
  return makeLimitRate({ take: memoryTakeRequests(), requestsPerMinute, now });
}

const cursorKey = new Uint8Array(32).fill(7);

/** Bytes and ids that follow one another, so that a failing test fails the same way again. */
function aChance() {
  let count = 0;
  return {
    newUuid: () => `00000000-0000-4000-8000-${String((count += 1)).padStart(12, '0')}`,
    randomBytes: () => new Uint8Array(32).fill((count += 1)),
  };
}

export interface MemorySecretStore extends SecretWriter {
  /** Live versions by name: for tests to look at. */
  readonly secrets: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly read: ReadSecret;
}

/** Secrets Manager, which the API may write to, and tests may look into. */
export function memorySecretStore(): MemorySecretStore {
  const secrets = new Map<string, Map<string, string>>();
  const nameOf = ({ organizationId, endpointId, part }: SecretName) =>
    `${organizationId}/${endpointId}/${part}`;
  return {
    secrets,
    read: (name, versionId) =>
      soon(() => {
        const value = secrets.get(nameOf(name))?.get(versionId);
        if (value === undefined) throw new Error('there is no such version of a secret');
        return value;
      }),
    put: (name, { id, value }) =>
      soon(() => {
        secrets.set(nameOf(name), new Map([...(secrets.get(nameOf(name)) ?? []), [id, value]]));
      }),
    retire: (name, versionId) =>
      soon(() => {
        secrets.get(nameOf(name))?.delete(versionId);
      }),
    remove: (name) =>
      soon(() => {
        secrets.delete(nameOf(name));
      }),
  };
}

type Authorizer = NonNullable<HttpRequest['requestContext']['authorizer']>;
type Claims = Authorizer['jwt']['claims'];

export interface Wish {
  readonly method?: Route['method'] | 'HEAD' | 'OPTIONS';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** As it was written, when that is not what the query makes. */
  readonly rawQuery?: string;
  /** Text as it is sent; anything else is sent as JSON. */
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
  readonly ifMatch?: string;
  readonly ifNoneMatch?: string;
  /** JSON, unless it says otherwise; `null` says nothing. */
  readonly contentType?: string | null;
  readonly contentEncoding?: string;
  readonly idempotencyKey?: string;
  /** An administrator of `org_1`, unless it says otherwise; `null` is nobody, as on a route without authorizer. */
  readonly claims?: Claims | null;
  readonly requestId?: string;
}

/** An administrator of `org_1`. */
export const administrator = {
  sub: 'user_5',
  organizationId: 'org_1',
  scope: 'webhooks:read webhooks:write',
};

/** The operator, who belongs to no organization. */
export const operator = { sub: 'user_1', scope: 'webhooks:read webhooks:write webhooks:operate' };

/** A request as the HTTP API hands it to a function. */
export function aRequest({ method = 'GET', path, requestId = 'request-1', ...wish }: Wish): HttpRequest {
  const { body, query, claims = administrator, isBase64Encoded = false } = wish;
  const { contentType = 'application/json' } = wish;
  return {
    version: '2.0',
    routeKey: 'ANY /v1/{proxy+}',
    rawPath: path,
    rawQueryString: wish.rawQuery ?? new URLSearchParams(query).toString(),
    headers: {
      ...(contentType === null ? {} : { 'content-type': contentType }),
      ...(wish.ifNoneMatch === undefined ? {} : { 'if-none-match': wish.ifNoneMatch }),
      ...(wish.contentEncoding === undefined ? {} : { 'content-encoding': wish.contentEncoding }),
      ...(wish.ifMatch === undefined ? {} : { 'if-match': wish.ifMatch }),
      ...(wish.idempotencyKey === undefined ? {} : { 'idempotency-key': wish.idempotencyKey }),
    },
    ...(query === undefined ? {} : { queryStringParameters: query }),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    isBase64Encoded,
    requestContext: {
      accountId: '123456789012',
      apiId: 'api',
      ...(claims === null ? {} : { authorizer: authorizerOf(claims) }),
      domainName: 'api.example.com',
      domainPrefix: 'api',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId,
      routeKey: 'ANY /v1/{proxy+}',
      stage: '$default',
      time: '23/Nov/2026:10:00:00 +0000',
      timeEpoch: 0,
    },
  };
}

function authorizerOf(claims: Claims): Authorizer {
  return { principalId: '', integrationLatency: 0, jwt: { claims, scopes: [] } };
}

/** What the operator has said of an organization, by how far it may use webhooks. */
export const standings = {
  entitled: { plan: 'enterprise', addOns: [] },
  lapsed: { plan: 'team', addOns: [], lapsedAt: '2026-11-20T00:00:00.000Z' },
  'never entitled': { plan: 'team', addOns: [] },
} satisfies Record<string, Partial<Organization>>;
