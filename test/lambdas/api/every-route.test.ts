import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { HttpAnswer } from '../../../lambdas/api/problem.ts';
import { readCertificate } from '../../../lambdas/endpoint/client-certificate.ts';
import type { Route } from '../../../lambdas/shared/route.ts';
import { aDead } from '../../fakes/a-delivery.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf, eventIdOf, jobIdOf } from '../../fakes/ids.ts';
import { aJob } from '../../fakes/jobs.ts';
import { secretOf } from '../../fakes/secrets.ts';
import { administrator, aService, operator, standings } from './a-service.ts';
import type { Service, Wish } from './a-service.ts';
import { clientCertificate, operations, requestOf } from './every-route.ts';
import type { Ids, Operation } from './every-route.ts';

const tokens = {
  'no scope': [],
  read: ['webhooks:read'],
  write: ['webhooks:write'],
  'read and write': ['webhooks:read', 'webhooks:write'],
  'operate alone': ['webhooks:operate'],
  operator: ['webhooks:read', 'webhooks:write', 'webhooks:operate'],
} satisfies Record<string, Route['scope'][]>;

/** Whose organization the path names, seen from a token that says `org_1`. */
const owners = { own: 'org_1', foreign: 'org_2', missing: 'org_3' };

const facts = readCertificate(clientCertificate, testStartMs);

type Token = keyof typeof tokens;
type Owner = keyof typeof owners;
type Standing = keyof typeof standings;

const allTokens = z.array(z.custom<Token>()).parse(Object.keys(tokens));
const allOwners = z.array(z.custom<Owner>()).parse(Object.keys(owners));
const allStandings = z.array(z.custom<Standing>()).parse(Object.keys(standings));
const ofOrganizations = operations.filter(({ path }) => path.includes('{organizationId}'));
/** What is public tells of every organization, and of nothing but its public keys. */
const guarded = ofOrganizations.filter(({ scope }) => scope !== 'public');

describe('the table of operations', () => {
  it('holds every operation that the code has, with its scope, plan and status', () => {
    const real = aService().routes.map(({ answer, ...route }) =>
      promiseLine({ ...route, status: route.operationId === 'putEventType' ? 201 : answer.status }),
    );
    expect(real.toSorted()).toEqual(operations.map(promiseLine).toSorted());
  });

  it('and the handler serves what this service serves', async () => {
    const lambdas = join(import.meta.dirname, '..', '..', '..', 'lambdas');
    const files = globSync('**/{routes,*-routes}.ts', { cwd: lambdas }).toSorted();
    const makers = await Promise.all(
      files.map(async (file) => Object.keys(await importOf(join(lambdas, file)))),
    );
    expect(
      makers
        .flat()
        .filter((name) => name.endsWith('Routes'))
        .toSorted(),
    ).toEqual([
      'apiRoutes',
      'auditRoutes',
      'certificateRoutes',
      'configurationRoutes',
      'deliveryRoutes',
      'documentRoutes',
      'documentTypeRoutes',
      'endpointRoutes',
      'eventRoutes',
      'eventTypeRoutes',
      'missedRoutes',
      'organizationRoutes',
      'previewRoutes',
      'recoveryRoutes',
      'secretRoutes',
      'signingRoutes',
      'testRoutes',
    ]);
  });
});

describe('who may', () => {
  it.each(operations)('$operationId answers each caller as the table says', async (operation) => {
    const answered = new Map<string, string>();
    const promised = new Map<string, string>();
    const worldOf = refusingWorlds();
    for (const token of allTokens) {
      for (const owner of allOwners) {
        for (const standing of allStandings) {
          const name = `${token}, ${owner}, ${standing}`;
          const promise = promiseOf(operation, { token, owner, standing });
          const world = promise.startsWith('4') ? worldOf(standing) : aWorld(standing);
          promised.set(name, promise);
          answered.set(name, outcomeOf(await askAs(world, operation, { token, owner })));
        }
      }
    }
    expect(answered).toEqual(promised);
  });

  it.each(guarded)(
    '$operationId answers a foreign organization byte for byte as a missing one',
    async (operation) => {
      const answers = new Set<string>();
      const worldOf = refusingWorlds();
      for (const token of allTokens.filter((name) => !scopesOf(name).has('webhooks:operate'))) {
        for (const owner of ['foreign', 'missing'] as const) {
          for (const standing of allStandings) {
            answers.add(bytesOf(await askAs(worldOf(standing), operation, { token, owner })));
          }
        }
      }
      expect(answers.size).toBe(1);
      expect(JSON.parse([...answers][0] ?? '')).toMatchObject({ statusCode: 404 });
    },
  );

  it.each(ofOrganizations)(
    '$operationId tells nothing more to a request that is wrong besides',
    async (operation) => {
      const wrong = { body: '{', query: { surprise: '1' } };
      const claims = claimsOf('read and write');
      const ask = (owner: Owner) =>
        aWorld('entitled').ask({ ...requestOf(operation, idsOf(owner)), ...wrong, claims });
      expect(bytesOf(await ask('foreign'))).toBe(bytesOf(await ask('missing')));
    },
  );

  it.each(ofOrganizations)(
    '$operationId of an organization that is named by the token but was never made is missing',
    async (operation) => {
      const claims = { ...claimsOf('read and write'), organizationId: owners.missing };
      const answer = await aWorld('entitled').ask({ ...requestOf(operation, idsOf('missing')), claims });
      expect(outcomeOf(answer)).toBe(
        operation.scope === 'webhooks:operate' ? '403 insufficient_scope' : '404 not_found',
      );
    },
  );

  it.each(operations.filter(({ path }) => /\{(endpoint|event|job)Id\}/.test(path)))(
    '$operationId answers an id of another organization byte for byte as one that was never made',
    async (operation) => {
      const own = idsOf('own');
      const foreign = idsOf('foreign');
      const ids = { endpointId: endpointIdOf('never'), eventId: eventIdOf('never'), jobId: jobIdOf('never') };
      const never = { ...own, ...ids };
      const part = (ids: Ids, names: readonly (keyof Ids)[]) =>
        Object.fromEntries(names.map((name) => [name, ids[name]]));
      for (const names of [['endpointId'], ['eventId'], ['endpointId', 'eventId'], ['jobId']] as const) {
        if (!names.every((name) => operation.path.includes(`{${name}}`))) continue;
        const ask = (ids: Ids) =>
          aWorld('entitled').ask({ ...requestOf(operation, { ...own, ...part(ids, names) }) });
        const answer = await ask(foreign);
        expect(outcomeOf(answer)).toBe('404 not_found');
        expect(bytesOf(answer)).toBe(bytesOf(await ask(never)));
      }
    },
  );

  it.each(ofOrganizations)('$operationId that is refused changes nothing', async (operation) => {
    for (const claims of [claimsOf('no scope'), { ...administrator, organizationId: 'org_3' }]) {
      const service = aWorld('entitled');
      const before = await contentsOf(service);
      await service.ask({ ...requestOf(operation, idsOf('own')), claims });
      expect(await contentsOf(service)).toEqual(before);
    }
  });
});

describe('every operation', () => {
  it.each(operations)('$operationId answers as its own description says', async (operation) => {
    const service = aWorld('entitled');
    const answer = await service.ask({ ...requestOf(operation, idsOf('own')), claims: operator });
    const route = service.routes.find(({ operationId }) => operationId === operation.operationId);
    expect(answer.statusCode).toBe(operation.status);
    if (route?.answer.schema === undefined) {
      expect(answer.body).toBe('');
      expect(answer.headers).not.toHaveProperty('content-type');
      return;
    }
    const { schema, contentType } = route.answer;
    const body: unknown = contentType === undefined ? JSON.parse(answer.body) : answer.body;
    // Parsing drops what is not described: nothing is told that is not.
    expect(schema.parse(body)).toEqual(body);
    expect(answer.headers).toMatchObject({ 'content-type': contentType ?? 'application/json' });
  });

  it.each(operations.filter(({ scope }) => scope !== 'public'))(
    '$operationId refuses an unknown parameter, and names it',
    async (operation) => {
      const request = { ...requestOf(operation, idsOf('own')), claims: operator, query: { surprise: '1' } };
      expect(await problemOf(request)).toMatchObject({
        status: 400,
        code: 'unknown_field',
        field: 'surprise',
      });
    },
  );

  it.each(operations.filter(({ body, isBodyOpen }) => body !== undefined && isBodyOpen !== true))(
    '$operationId refuses an unknown field, and names it',
    async (operation) => {
      const body = { ...z.record(z.string(), z.unknown()).parse(operation.body), surprise: 1 };
      const request = { ...requestOf(operation, idsOf('own')), claims: operator, body };
      expect(await problemOf(request)).toMatchObject({
        status: 400,
        code: 'unknown_field',
        field: 'surprise',
      });
    },
  );

  it.each(operations.filter(({ body }) => body === undefined))(
    '$operationId, which takes no body, refuses one',
    async (operation) => {
      const request = { ...requestOf(operation, idsOf('own')), claims: operator, body: {} };
      expect(await problemOf(request)).toMatchObject({ status: 400, code: 'invalid_request' });
    },
  );

  it.each(operations.filter(({ body, isBodyOptional }) => body !== undefined && !isBodyOptional))(
    '$operationId refuses to go without its body',
    async (operation) => {
      const request = { ...requestOf(operation, idsOf('own')), claims: operator, body: undefined };
      expect(await problemOf(request)).toMatchObject({ status: 400, code: 'invalid_request' });
    },
  );

  it.each(operations.filter(({ path }) => path.includes('{')))(
    '$operationId refuses ids that no id looks like',
    async (operation) => {
      const ids = { organizationId: 'org_1', endpointId: 'ep_1', eventId: 'evt_1#', jobId: 'job_1/' };
      const wrong = /\{(endpoint|event|job)Id\}/.test(operation.path);
      const request = {
        ...requestOf(operation, wrong ? ids : { ...ids, organizationId: 'a#b' }),
        claims: operator,
      };
      const service = aWorld('entitled');
      const status = (await service.ask(request)).statusCode;
      expect([400, 404]).toContain(status);
    },
  );
});

describe('the audit', () => {
  /** What changes nothing that anybody has set: it asks, it sends a test, or it publishes. */
  const unaudited = new Set(['previewEvent', 'testEndpoint', 'publishEvent']);

  it.each(operations.filter(({ method }) => method !== 'GET'))(
    'has an entry of $operationId, and none of what is refused',
    async (operation) => {
      const service = aWorld('entitled');
      const request = requestOf(operation, idsOf('own'));
      await service.ask({ ...request, claims: { sub: 'user_7' } });
      expect(service.audit.all()).toEqual([]);
      expect(outcomeOf(await service.ask({ ...request, claims: operator }))).toBe(`${operation.status}`);
      const names = new Set(service.audit.all().map((entry) => entry.operation));
      expect([...names]).toEqual(unaudited.has(operation.operationId) ? [] : [operation.operationId]);
      expect(service.audit.all().every(({ outcome }) => outcome === 'done')).toBe(true);
    },
  );
});

interface Case {
  readonly token: Token;
  readonly owner: Owner;
  readonly standing: Standing;
}

/** The rule, said once more, and not taken from the code: who, then what, then the plan. */
function promiseOf(operation: Operation, { token, owner, standing }: Case): string {
  const scopes = scopesOf(token);
  const good = `${operation.status}`;
  const isOfOrganization = operation.path.includes('{organizationId}');
  if (operation.scope === 'public') return isOfOrganization && owner === 'missing' ? '404 not_found' : good;
  if (isOfOrganization && owner !== 'own' && !scopes.has('webhooks:operate')) return '404 not_found';
  if (!scopes.has(operation.scope)) return '403 insufficient_scope';
  if (!isOfOrganization) return good;
  if (owner === 'missing') return operation.operationId === 'putOrganization' ? '201' : '404 not_found';
  if (operation.entitlement === 'none' || standing === 'entitled') return good;
  if (standing === 'lapsed' && operation.entitlement === 'read') return good;
  return '403 enterprise_plan_required';
}

function askAs(
  world: Service,
  operation: Operation,
  { token, owner }: Pick<Case, 'token' | 'owner'>,
): Promise<HttpAnswer> {
  return world.ask({ ...requestOf(operation, idsOf(owner)), claims: claimsOf(token) });
}

/** A world for each standing, for all that is refused there: it changes nothing, and worlds take time to make. */
function refusingWorlds(): (standing: Standing) => Service {
  const made = new Map<Standing, Service>();
  return (standing) => {
    const world = made.get(standing) ?? aWorld(standing);
    made.set(standing, world);
    return world;
  };
}

function scopesOf(token: Token): ReadonlySet<string> {
  return new Set(tokens[token]);
}

function claimsOf(token: Token) {
  return { sub: 'user_5', organizationId: owners.own, scope: tokens[token].join(' ') };
}

/** The ids of a missing organization are those of the foreign one: only the organization tells them apart. */
function idsOf(owner: Owner): Ids {
  const name = owner === 'own' ? 'one' : 'two';
  const organizationId = owners[owner];
  return { organizationId, endpointId: endpointIdOf(name), eventId: eventIdOf(name), jobId: jobIdOf(name) };
}

const missed = { since: '2026-11-10T00:00:00.000Z', until: '2026-11-11T00:00:00.000Z' };

/** Two organizations of the same standing, each with an endpoint, an event, a dead delivery and a job of another endpoint. */
function aWorld(standing: Standing): Service {
  const service = aService();
  const { configuration, ledger, jobs, eventTypes, secrets, signing } = service;
  for (const owner of ['own', 'foreign'] as const) {
    const { organizationId, endpointId, eventId, jobId } = idsOf(owner);
    const name = owner === 'own' ? 'one' : 'two';
    configuration.setOrganization(anOrganization({ id: organizationId, missed, ...standings[standing] }));
    const endpoint = anEndpoint({ name, organizationId, clientCertificate: { ...facts, versionId: 'c-1' } });
    configuration.set(endpoint);
    for (const { id } of endpoint.secretVersions) {
      void secrets.put({ organizationId, endpointId, part: 'signing' }, { id, value: secretOf(id) });
    }
    const kept = { id: 'c-1', value: JSON.stringify(clientCertificate) };
    void secrets.put({ organizationId, endpointId, part: 'client-certificate' }, kept);
    signing.set({ organizationId });
    void ledger.events.add(anEvent({ name, organizationId, endpoints: [endpointId] }));
    void ledger.record(aDead({ organizationId, endpointId, eventId }));
    void jobs.add(aJob({ id: jobId, organizationId, endpointId: endpointIdOf('another') }));
  }
  const name = 'billing.invoice.due';
  void eventTypes.replace(undefined, { name, category: 'governance', description: 'Due.', isBuiltIn: false });
  return service;
}

async function contentsOf(service: Service): Promise<unknown> {
  const { configuration, ledger, jobs, secrets, signing, published, sent, started } = service;
  const page = { limit: 250 };
  const { organizationId, endpointId } = idsOf('own');
  return structuredClone({
    organization: await configuration.organizations.get(organizationId),
    endpoints: await configuration.endpoints.list(organizationId, page),
    deliveries: await ledger.deliveries.ofEndpoint(endpointId, page),
    secrets: secrets.secrets,
    signingKeys: await signing.keys.list(organizationId),
    jobs: await jobs.list(organizationId, page),
    published,
    sent,
    started,
  });
}

const problem = z.looseObject({ status: z.number(), code: z.string() });

async function problemOf(request: Wish): Promise<z.output<typeof problem>> {
  return problem.parse(JSON.parse((await aWorld('entitled').ask(request)).body));
}

function outcomeOf({ statusCode, body }: HttpAnswer): string {
  return statusCode < 400 ? `${statusCode}` : `${statusCode} ${problem.parse(JSON.parse(body)).code}`;
}

/** All of an answer but its request id. */
function bytesOf(answer: HttpAnswer): string {
  return JSON.stringify(answer).replaceAll('request-1', '');
}

async function importOf(path: string): Promise<object> {
  return z.custom<object>().parse(await import(path));
}

/** Paths differ in the names that this table puts in; their lengths must not. */
function promiseLine({ operationId, method, path, scope, entitlement, status }: Operation): string {
  return [operationId, method, path.split('/').length, scope, entitlement, status].join(' ');
}
