import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { anything, callApi } from '../../local/api-client.ts';
import type { DemoReceiver } from '../../local/demo/receiver.ts';
import type { Runtime } from '../../local/runtime.ts';
import { anAuthority } from '../lambdas/request/certificates.ts';

/** What the fuzzer is told of, so that its requests meet something. */
export interface Scene {
  readonly organizations: readonly string[];
  /** Organizations whose plan may be taken from them. */
  readonly spareOrganizations: readonly string[];
  readonly endpoints: readonly string[];
  /** Endpoints that are there to be deleted. */
  readonly spareEndpoints: readonly string[];
  /** Endpoints whose client certificate is there to be deleted. */
  readonly certifiedEndpoints: readonly string[];
  readonly events: readonly string[];
  readonly jobs: readonly string[];
  readonly eventTypes: readonly string[];
  readonly spareEventTypes: readonly string[];
  readonly urls: readonly string[];
  /** By the operationId of the list that gave it. */
  readonly cursors: Readonly<Record<string, string>>;
  /** In PEM; each key with the certificate at its place. */
  readonly certificates: readonly string[];
  readonly privateKeys: readonly string[];
}

/** The organization of the administrator. */
export const organizationId = 'org_fuzz';
const base = `/v1/organizations/${organizationId}`;

const methods = z.enum(['GET', 'POST', 'PUT']);
const withId = z.object({ id: z.string() });
const endpointWithSecret = withId.extend({ secret: z.string() });
const spareMax = 30;
const numbers = Array.from({ length: spareMax }, (_, number) => number);

/** Asks the API: `POST /v1/…`, and how its answer is read. */
type Ask = <S extends z.ZodType>(what: string, answer: S, body?: unknown) => Promise<z.output<S>>;

/** Everything that there can be in an organization, with one of another beside it. */
export async function prepareScene(runtime: Runtime, receiver: DemoReceiver): Promise<Scene> {
  const token = await runtime.issueToken({ group: 'operators' });
  const ask: Ask = (what, answer, body) => {
    const [method, path = ''] = what.split(' ');
    return callApi({ api: runtime.api, token }, { method: methods.parse(method), path, body }, answer);
  };
  const spareOrganizations = ['org_spare_1', 'org_spare_2'];
  for (const id of ['org_other', ...spareOrganizations]) await makeOrganization(ask, id);
  // For a while without a plan: it has missed something.
  for (const plan of ['enterprise', 'team', 'enterprise']) await ask(`PUT ${base}`, anything, { plan });
  const foreign = await ask('POST /v1/organizations/org_other/endpoints', withId, {
    url: 'https://hooks.example.com/other',
  });
  const { eventTypes, spareEventTypes } = await makeEventTypes(ask);
  const certified = await certify();
  const endpoints = await makeEndpoints(ask, receiver);
  const [spareEndpoints, certifiedEndpoints] = [await makeSpares(ask), await makeSpares(ask)];
  for (const id of [...certifiedEndpoints, ...endpoints.slice(0, 1)])
    await ask(`PUT ${base}/endpoints/${id}/client-certificate`, anything, certified);
  await proveThatNobodyIsReached(ask, endpoints);
  const events = await makeEvents(runtime, ask);
  const jobs = await makeJobs(ask, endpoints);
  return {
    organizations: [...Array.from({ length: 8 }, () => organizationId), 'org_other', 'org_none'],
    spareOrganizations,
    endpoints: [...endpoints, foreign.id],
    spareEndpoints,
    certifiedEndpoints,
    events,
    jobs,
    eventTypes,
    spareEventTypes,
    urls: [`${receiver.url}/works`, `${receiver.url}/broken`, 'https://hooks.example.com/in?a=b'],
    cursors: await cursorsOf(ask, endpoints),
    certificates: [certified.certificate],
    privateKeys: [certified.privateKey],
  };
}

async function makeOrganization(ask: Ask, id: string): Promise<void> {
  await ask(`PUT /v1/organizations/${id}`, anything, { plan: 'enterprise' });
}

async function makeEventTypes(ask: Ask) {
  const definition = { category: 'governance', description: 'One of the fuzzer' };
  const own = {
    'fuzz.kept.checked': { ...definition, schema: { type: 'object', required: ['runId'] } },
    'fuzz.kept.deprecated': { ...definition, deprecated: { replacedBy: 'fuzz.kept.checked' } },
  };
  const spareEventTypes = numbers.map((number) => `fuzz.spare.number_${String(number)}`);
  const spare = spareEventTypes.map((name) => [name, definition] as const);
  for (const [name, body] of [...Object.entries(own), ...spare])
    await ask(`PUT /v1/event-types/${name}`, anything, body);
  return { eventTypes: [...Object.keys(own), 'pipeline.run.failed'], spareEventTypes };
}

async function certify() {
  const { certificate, key } = await (await anAuthority()).issue();
  return { certificate, privateKey: key };
}

async function makeEndpoints(ask: Ask, receiver: DemoReceiver): Promise<string[]> {
  const policy = { retry: { maximumAttempts: 1 } };
  const make = (more: object) => ask(`POST ${base}/endpoints`, endpointWithSecret, { policy, ...more });
  const takes = async (path: string, more: object = {}) => {
    const made = await make({ url: receiver.url + path, eventTypes: ['*'], ...more });
    receiver.trust(path, made.secret);
    return made;
  };
  receiver.behave('/broken', () => 500);
  const headers = [
    { name: 'x-plain', value: 'one' },
    { name: 'x-secret', value: 'two', secret: true },
  ];
  const all = [
    await takes('/works', { description: 'Takes everything', keepResponse: true }),
    await takes('/broken'),
    await takes('/off', { active: false, headers }),
    await takes('/keyed', { scheme: 'jwt' }),
    await make({ url: 'https://hooks.example.com/away', categories: ['governance'] }),
  ];
  return all.map(({ id }) => id);
}

/** Endpoints that get nothing. */
async function makeSpares(ask: Ask): Promise<string[]> {
  const spares: string[] = [];
  for (const number of numbers) {
    const body = { url: `https://hooks.example.com/${String(number)}`, active: false };
    spares.push((await ask(`POST ${base}/endpoints`, withId, body)).id);
  }
  return spares;
}

/** @throws Error unless names lead nowhere: the fuzzer invents URLs. */
async function proveThatNobodyIsReached(ask: Ask, endpoints: readonly string[]): Promise<void> {
  const away = endpoints.at(-1) ?? '';
  const { code } = await ask(`POST ${base}/endpoints/${away}/test`, z.object({ code: z.string() }));
  if (code !== 'blocked_address') throw new Error(`The runtime would reach out: its test ended as ${code}`);
}

const ended = z.enum(['delivered', 'dead', 'discarded']);
const done = z.object({ deliveries: z.array(z.object({ status: ended })) });

/** Some that came to their ends, and one that is refused. */
async function makeEvents(runtime: Runtime, ask: Ask): Promise<string[]> {
  const events: string[] = [];
  for (const type of ['pipeline.run.failed', 'fuzz.kept.checked', 'fuzz.kept.deprecated']) {
    const { id } = await ask(`POST ${base}/events`, withId, { type, data: { a: 1 }, resource: 'r/1' });
    events.push(id);
  }
  const bus = new EventBridgeClient({
    endpoint: runtime.aws.server.endpoint,
    region: runtime.aws.setting.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const Detail = JSON.stringify({ organizationId, data: {} });
  const refused = { EventBusName: runtime.output('BusName'), Source: 'fuzz', DetailType: 'no.such', Detail };
  await bus.send(new PutEventsCommand({ Entries: [refused] }));
  bus.destroy();
  const list = z.object({ data: z.array(withId).min(1) });
  const { data } = await patiently(() => ask(`GET ${base}/events?status=refused`, list));
  for (const id of events) await patiently(() => ask(`GET ${base}/events/${id}`, done));
  return [...events, ...data.map(({ id }) => id)];
}

async function makeJobs(ask: Ask, [works = '', broken = '']: readonly string[]): Promise<string[]> {
  const span = { since: '2020-01-01T00:00:00Z', dryRun: true };
  const recover = (id: string) =>
    ask(`POST ${base}/endpoints/${id}/recover`, withId, { ...span, include: ['dead', 'missing'] });
  const jobs = [await recover(works), await recover(broken)];
  const finished = z.object({ status: z.literal('finished') });
  for (const { id } of jobs) await patiently(() => ask(`GET ${base}/jobs/${id}`, finished));
  return jobs.map(({ id }) => id);
}

/** Where the second page of each list begins. */
async function cursorsOf(ask: Ask, [works = '']: readonly string[]): Promise<Record<string, string>> {
  const lists = {
    listEndpoints: `${base}/endpoints`,
    listDeliveries: `${base}/endpoints/${works}/deliveries`,
    listDeadLetters: `${base}/dead-letters`,
    listEvents: `${base}/events`,
    listJobs: `${base}/jobs`,
    listAudit: `${base}/audit`,
    listDeploymentAudit: '/v1/audit',
  };
  const page = z.object({ nextCursor: z.string() });
  const cursors: Record<string, string> = {};
  for (const [operation, path] of Object.entries(lists)) {
    cursors[operation] = (await ask(`GET ${path}?limit=1`, page)).nextCursor;
  }
  return cursors;
}

const patienceMs = 60_000;

/** Asks until the answer is as it will be. */
async function patiently<Value>(look: () => Promise<Value>): Promise<Value> {
  const end = Date.now() + patienceMs;
  for (;;) {
    try {
      return await look();
    } catch (cause) {
      if (Date.now() > end) throw new Error('The scene does not get ready', { cause });
      await sleep(100);
    }
  }
}
