import type { Scene } from './scene.ts';

/** Of the values that a parameter gets, the share that exists; the others are invented. */
const existing = 0.8;
/** Of cursors: one fits only where the same filters are. */
const existingCursors = 0.2;

/** Where an id or a name stands. */
const fields = {
  'path.organizationId': 'organizations',
  'path.endpointId': 'endpoints',
  'path.eventId': 'events',
  'path.jobId': 'jobs',
  'path.name': 'eventTypes',
  'query.endpointId': 'endpoints',
  'query.type': 'eventTypes',
  'body.type': 'eventTypes',
  'body.eventTypes[*]': 'eventTypes',
  'body.url': 'urls',
  'body.certificate': 'certificates',
  'body.privateKey': 'privateKeys',
} as const satisfies Record<string, Name>;

type Name = keyof Omit<Scene, 'cursors'>;

/** Operations that take away what others need have ids of their own. */
const spared: Readonly<Record<string, Readonly<Record<string, Name>>>> = {
  putOrganization: { 'path.organizationId': 'spareOrganizations' },
  deleteEndpoint: { 'path.endpointId': 'spareEndpoints' },
  deleteClientCertificate: { 'path.endpointId': 'certifiedEndpoints' },
  deleteEventType: { 'path.name': 'spareEventTypes' },
  putEventType: { 'path.name': 'spareEventTypes' },
};

/** Checks that are off for an operation; each says why. */
const off: Readonly<Record<string, readonly string[]>> = {
  // Closed to other methods by API Gateway itself, which says 404 or 401 and asks no function.
  getDescription: ['unsupported_method'],
  getReference: ['unsupported_method'],
  getKeySet: ['unsupported_method'],
  // The function that serves all others knows no such path: this one has a function of its own.
  testEndpoint: ['unsupported_method'],
  // GET of this path is that of the event of this name.
  // A new endpoint has no certificate.
  getClientCertificate: ['ensure_resource_availability'],
  deleteClientCertificate: ['ensure_resource_availability'],
  // 202: an event that was taken is routed a moment later, and delivered after that.
  getEvent: ['ensure_resource_availability'],
  getDelivery: ['ensure_resource_availability'],
  retryDelivery: ['ensure_resource_availability'],
};

/** What is wrong may be refused for another reason that comes first, such as an `If-Match` that does not match. */
const refused = [400, 401, 403, 404, 405, 409, 412, 413, 422, 429, 431];

/**
 * The configuration of Schemathesis, in TOML: which values exist, and what is checked where.
 *
 * @param scene what exists
 */
export function configurationOf({ cursors, ...values }: Scene): string {
  const operations = new Set([...Object.keys(spared), ...Object.keys(off), ...Object.keys(cursors)]);
  return [
    '[auth.openapi.bearer]',
    // Interpolated from the environment: no token lies on the disk.
    'bearer = "${FUZZ_TOKEN}"',
    '[checks.negative_data_rejection]',
    `expected-statuses = ${JSON.stringify(refused)}`,
    ...Object.entries(values).flatMap(([name, own]) => dictionary(name, own)),
    ...Object.entries(cursors).flatMap(([operation, cursor]) => dictionary(cursorsOf(operation), [cursor])),
    '[parameters]',
    ...Object.entries(fields).map(([field, name]) => binding(field, name, existing)),
    ...[...operations].flatMap((operation) => operationOf(operation, operation in cursors)),
    '',
  ].join('\n');
}

/** Values of the parameters of a path. */
type Values = Readonly<Record<string, readonly string[]>>;

/** Ids that exist, by operation and parameter: what the description gets as examples. */
export function examplesOf(scene: Scene, operations: readonly string[]): Record<string, Values> {
  return Object.fromEntries(operations.map((one) => [one, valuesOf(scene, { ...fields, ...spared[one] })]));
}

/** For operations that take something away: which ids take the place of those that others need. */
export function sparesOf(scene: Scene): Record<string, { needed: Values; spare: Values }> {
  return Object.fromEntries(
    Object.entries(spared).map(([operation, own]) => [
      operation,
      { needed: valuesOf(scene, fields), spare: valuesOf(scene, own) },
    ]),
  );
}

function valuesOf(scene: Scene, names: Readonly<Record<string, Name>>): Values {
  const inPath = Object.entries(names).filter(([field]) => field.startsWith('path.'));
  return Object.fromEntries(inPath.map(([field, name]) => [field.slice('path.'.length), scene[name]]));
}

const cursorsOf = (operation: string) => `cursors_${operation}`;

function dictionary(name: string, values: readonly string[]): string[] {
  return [`[dictionaries.${name}]`, `values = ${JSON.stringify(values)}`];
}

function binding(field: string, name: string, probability: number): string {
  return `"${field}" = { dictionary = "${name}", probability = ${String(probability)} }`;
}

function operationOf(operation: string, hasCursor: boolean): string[] {
  const own = Object.entries(spared[operation] ?? {});
  return [
    '[[operations]]',
    `include-operation-id = "${operation}"`,
    ...(off[operation] ?? []).map((check) => `checks.${check}.enabled = false`),
    ...own.map(([field, name]) => `parameters.${binding(field, name, existing)}`),
    ...(hasCursor ? [`parameters.${binding('query.cursor', cursorsOf(operation), existingCursors)}`] : []),
  ];
}
