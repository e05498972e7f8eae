import { describe, expect, it } from 'vitest';
import { ownProblems } from '../../../lambdas/api/problems-of.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { endpointIdOf, eventIdOf, jobIdOf } from '../../fakes/ids.ts';
import { aJob } from '../../fakes/jobs.ts';
import { aService, operator } from './a-service.ts';
import type { Service, Wish } from './a-service.ts';
import { clientCertificate, operations, requestOf } from './every-route.ts';

type Parts = NonNullable<Parameters<typeof aService>[0]>;

/** How an operation comes to refuse. */
interface Case extends Pick<Wish, 'body' | 'query' | 'path'> {
  readonly parts?: () => Parts;
  readonly prepare?: (service: Service) => unknown;
}

type Cases = Readonly<Record<string, Partial<Case>>>;

const organizationId = 'org_1';
const url = 'https://a.example.com/';
const ids = {
  organizationId,
  endpointId: endpointIdOf('one'),
  eventId: eventIdOf('one'),
  jobId: jobIdOf('one'),
};

/** Somebody else is always faster. */
const overtaken: Partial<Case> = {
  parts: () => {
    const configuration = memoryConfiguration();
    const replace = () => Promise.resolve(false);
    const [endpoints, organizations] = [configuration.endpoints, configuration.organizations];
    return {
      configuration: {
        ...configuration,
        endpoints: { ...endpoints, replace, startRemoval: replace },
        organizations: { ...organizations, replace },
      },
    };
  },
};
const overtakenHealth: Partial<Case> = {
  prepare: ({ health }) => (health.replace = () => Promise.resolve(false)),
};
const overtakenType: Partial<Case> = {
  prepare: ({ eventTypes }) => (eventTypes.replace = () => Promise.resolve(false)),
};
const overtakenRotation: Partial<Case> = {
  prepare: ({ signing }) => {
    signing.set();
    Object.assign(signing.keys, { rotate: () => Promise.resolve(false) });
  },
};
const disabled: Partial<Case> = {
  prepare: ({ configuration }) => {
    configuration.set({ ...anEndpoint(), active: false });
  },
};

const long = { retry: { initialBackoffSeconds: 86_400, maximumBackoffSeconds: 86_400, maximumAttempts: 30 } };

/** What is wrong with an endpoint, as a part of whichever body. */
const ofEndpoint = (bodyOf: (wrong: object) => object): Cases => ({
  invalid_url: { body: bodyOf({ url: 'https://a.example.com/{x}' }) },
  https_required: { body: bodyOf({ url: 'http://a.example.com/' }) },
  target_not_allowed: { body: bodyOf({ url: 'https://10.0.0.1/' }) },
  schedule_too_long: { body: bodyOf({ policy: long }) },
  unknown_event_type: { body: bodyOf({ eventTypes: ['no.such.type'] }) },
  header_not_allowed: { body: bodyOf({ headers: [{ name: 'host', value: 'a' }] }) },
});

function nameTaken({ configuration }: Service): void {
  configuration.set({ ...anEndpoint({ name: 'two' }), name: 'taken' });
}

function sameName({ configuration }: Service): void {
  for (const name of ['two', 'three']) configuration.set({ ...anEndpoint({ name }), name: 'taken' });
}

function tooLargeConfiguration({ configuration }: Service): void {
  const eventTypes = Array.from({ length: 200 }, (_, index) => `${'a'.repeat(120)}${String(index)}.*`);
  for (let index = 0; index < 180; index += 1) {
    configuration.set({ ...anEndpoint({ name: `e${String(index)}` }), eventTypes });
  }
}

const definition = { category: 'governance', description: 'Paid.' } as const;
const strict: Partial<Case> = { parts: () => ({ schemas: 'strict' }) };

async function own({ eventTypes }: Service, name: string, schema?: object): Promise<void> {
  const more = schema === undefined ? {} : { schema: { ...schema } };
  await eventTypes.replace(undefined, { ...definition, name, isBuiltIn: false, ...more });
}

const large = (bytes: number) => ({ properties: { a: { description: 'x'.repeat(bytes) } } });

async function manyTypes(service: Service): Promise<void> {
  for (let n = 0; n < 500; n += 1) await own(service, `own.number_${String(n)}`);
}

async function largeTypes(service: Service): Promise<void> {
  const schema = large(60_000);
  for (let n = 0; n < 35; n += 1) await own(service, `own.number_${String(n)}`, schema);
}

/** What is wrong with the definition of an event type, as a part of whichever body. */
const ofType = (bodyOf: (wrong: object) => object): Cases => ({
  invalid_schema: { body: bodyOf({ schema: { type: 'objekt' } }) },
  example_breaks_schema: { body: bodyOf({ schema: { required: ['a'] }, example: { b: 1 } }) },
  unknown_event_type: { body: bodyOf({ deprecated: { replacedBy: 'no.such.type' } }) },
  schema_id_taken: {
    prepare: (service) => own(service, 'own.first', { $id: 'https://a.example.com/first' }),
    body: bodyOf({ schema: { $id: 'https://a.example.com/first' } }),
  },
  too_many_event_types: { prepare: manyTypes },
  catalogue_too_large: { prepare: largeTypes, body: bodyOf({ schema: large(60_000) }) },
  event_type_too_large: { body: bodyOf({ schema: large(65_536) }) },
  changed_meanwhile: overtakenType,
});

/** One event type of a document; what is said of it by the names that documents have for it. */
function documentOf({
  schema,
  example,
  deprecated,
}: {
  schema?: object;
  example?: object;
  deprecated?: object;
}): object {
  const said = {
    'x-category': 'governance',
    ...(example === undefined ? {} : { examples: [example] }),
    ...(deprecated === undefined ? {} : { 'x-deprecated': deprecated }),
  };
  return { $defs: { 'own.paid': { ...said, ...schema } } };
}

const copies = {
  Shared: {
    properties: Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`f${String(n)}`, true])),
  },
  ...Object.fromEntries(
    Array.from({ length: 2_000 }, (_, n) => [`own.n${String(n)}`, { $ref: '#/$defs/Shared' }]),
  ),
};
const avro = { name: 'own.paid', payload: { schemaFormat: 'application/vnd.apache.avro', schema: {} } };
const twice = { A: { name: 'own.paid' }, B: { name: 'own.paid' } };
const inDocument = (messages: object) => ({
  query: { category: 'governance' },
  body: { asyncapi: '3.0.0', info: { title: 'Shop', version: '1' }, components: { messages } },
});

const broken = { type: 'own.paid', data: { b: 1 } };
const ofData: Cases = {
  unknown_event_type: { body: { type: 'no.such.type', data: {} } },
  schema_violation: {
    ...strict,
    prepare: (service) => own(service, 'own.paid', { required: ['a'] }),
    body: broken,
  },
  schema_not_judged: {
    ...strict,
    prepare: (service) => own(service, 'own.paid', { $ref: '#' }),
    body: broken,
  },
};
const keyed = { idempotencyKey: 'one', occurredAt: '2026-11-23T09:00:00Z' };

const jobRunning: Partial<Case> = {
  prepare: ({ jobs }) => jobs.add(aJob({ id: jobIdOf('two'), endpointId: ids.endpointId })),
};

const cases: Readonly<Record<string, Cases>> = {
  putOrganization: { changed_meanwhile: overtaken },
  updateOrganization: { schedule_too_long: { body: { policy: long } }, changed_meanwhile: overtaken },
  listEndpoints: { unknown_event_type: { query: { type: 'no.such.type' } } },
  createEndpoint: {
    ...ofEndpoint((wrong) => ({ url, ...wrong })),
    name_taken: { prepare: nameTaken, body: { url, name: 'taken' } },
    too_many_endpoints: { parts: () => ({ endpointsMax: 1 }) },
  },
  updateEndpoint: {
    ...ofEndpoint((wrong) => wrong),
    name_taken: { prepare: nameTaken, body: { name: 'taken' } },
    changed_meanwhile: overtaken,
  },
  resumeEndpoint: { changed_meanwhile: overtakenHealth },
  deleteEndpoint: { changed_meanwhile: overtaken },
  rotateSigningKeys: {
    changed_meanwhile: overtakenRotation,
    too_many_keys: {
      prepare: ({ signing }) => {
        for (let count = 0; count < 20; count += 1) signing.set();
      },
    },
  },
  putClientCertificate: {
    invalid_certificate: { body: { ...clientCertificate, certificate: 'none' } },
    changed_meanwhile: overtaken,
  },
  deleteClientCertificate: { changed_meanwhile: overtaken },
  rotateSecret: {
    too_many_secrets: {
      prepare: ({ configuration }) => {
        const [newest] = anEndpoint().secretVersions;
        const versions = ['a', 'b', 'c'].map((id) => ({ createdAt: '2026-11-23T00:00:00Z', ...newest, id }));
        configuration.set({ ...anEndpoint(), secretVersions: versions });
      },
    },
    changed_meanwhile: overtaken,
  },
  exportConfiguration: { configuration_too_large: { prepare: tooLargeConfiguration } },
  importConfiguration: {
    ...ofEndpoint((wrong) => ({ version: 1, endpoints: [{ name: 'from-code', url, ...wrong }] })),
    missing_name: { body: { version: 1, endpoints: [{ url }] } },
    unknown_endpoint: { body: { version: 1, endpoints: [{ url, id: endpointIdOf('none') }] } },
    duplicate_endpoint: { body: { version: 1, endpoints: ['a', 'a'].map((name) => ({ url, name })) } },
    ambiguous_name: { prepare: sameName, body: { version: 1, endpoints: [{ url, name: 'taken' }] } },
    name_taken: {
      prepare: nameTaken,
      body: { version: 1, endpoints: [{ url, name: 'taken', id: ids.endpointId }] },
    },
    too_many_endpoints: { parts: () => ({ endpointsMax: 1 }) },
    configuration_too_large: { prepare: tooLargeConfiguration },
    changed_meanwhile: { ...overtaken, body: { version: 1, policy: { timeoutSeconds: 9 }, endpoints: [] } },
  },
  getKeySet: { not_found: {} },
  getEventType: { not_found: { path: '/v1/event-types/no.such.type' } },
  putEventType: {
    ...ofType((wrong) => ({ ...definition, ...wrong })),
    built_in_event_type: { path: '/v1/event-types/pipeline.run.failed' },
  },
  deleteEventType: {
    built_in_event_type: { path: '/v1/event-types/pipeline.run.failed' },
    not_found: { path: '/v1/event-types/no.such.type' },
    changed_meanwhile: {
      path: '/v1/event-types/own.paid',
      prepare: async (service) => {
        await own(service, 'own.paid');
        service.eventTypes.remove = () => Promise.resolve(false);
      },
    },
  },
  importEventTypes: {
    ...ofType(documentOf),
    unknown_document: { body: { openapi: '3.1.0' } },
    invalid_reference: {
      body: { $defs: { 'own.paid': { 'x-category': 'governance', $ref: '#/$defs/none' } } },
    },
    unsupported_schema_format: inDocument({ Paid: avro }),
    missing_category: {
      body: { asyncapi: '3.0.0', components: { messages: { Paid: { name: 'own.paid' } } } },
    },
    duplicate_event_type: inDocument(twice),
    document_too_large: { body: { $defs: copies } },
  },
  publishEvent: {
    ...ofData,
    invalid_time: { body: { type: 'pipeline.run.failed', data: {}, occurredAt: '1960-01-01T00:00:00Z' } },
    event_too_large: { body: { type: 'pipeline.run.failed', data: { text: 'x'.repeat(270_000) } } },
    idempotency_conflict: {
      prepare: ({ ask }) =>
        ask({
          method: 'POST',
          path: `/v1/organizations/${organizationId}/events`,
          body: { type: 'pipeline.run.failed', data: { runId: 1 }, ...keyed },
        }),
      body: { type: 'pipeline.run.failed', data: { runId: 2 }, ...keyed },
    },
  },
  previewEvent: ofData,
  retryDelivery: { endpoint_disabled: disabled },
  testEndpoint: { too_many_tests: { parts: () => ({ countTest: () => Promise.resolve(false) }) } },
  recoverEndpoint: { endpoint_disabled: disabled, job_running: jobRunning },
  recoverDeadLetters: {
    job_running: {
      prepare: ({ jobs }) => {
        const { endpointId: _, ...ofAll } = aJob({ id: jobIdOf('two') });
        return jobs.add(ofAll);
      },
    },
  },
  recoverMissed: { nothing_missed: {} },
  cancelJob: {
    job_finished: {
      prepare: ({ jobs }) => jobs.add({ ...aJob({ id: jobIdOf('two') }), status: 'finished' }),
      path: `/v1/organizations/${organizationId}/jobs/${jobIdOf('two')}/cancel`,
    },
  },
};

const all = Object.entries(cases).flatMap(([operationId, own]) =>
  Object.entries(own).map(([code, one]) => ({ operationId, code, one })),
);

describe('of an operation', () => {
  it('each rule of its own has a case here', () => {
    const told = Object.entries(ownProblems).flatMap(([operationId, codes]) =>
      codes.map((code) => `${operationId} ${code}`),
    );
    expect(all.map(({ operationId, code }) => `${operationId} ${code}`).toSorted()).toEqual(told.toSorted());
  });

  it.each(all)('$operationId gives $code, as its description says', async ({ operationId, code, one }) => {
    const service = aService(one.parts?.() ?? {});
    const { configuration, ledger, jobs } = service;
    configuration.setOrganization(anOrganization({ id: organizationId }));
    configuration.set(anEndpoint());
    await ledger.events.add(anEvent({ endpoints: [ids.endpointId] }));
    await jobs.add(aJob({ id: ids.jobId, endpointId: endpointIdOf('another') }));
    await one.prepare?.(service);
    const operation = operations.find((known) => known.operationId === operationId);
    if (operation === undefined) throw new Error(`there is no operation ${operationId}`);
    const { prepare: _prepare, parts: _parts, ...said } = one;
    // What is answered is held against the description there.
    const answer = await service.ask({ ...requestOf(operation, ids), claims: operator, ...said });
    expect(JSON.parse(answer.body)).toMatchObject({ code });
  });
});
