import { z } from 'zod';
import { InvalidRequest, readOrKeep } from '../../shared/errors.ts';
import { parsePart, refusalOf } from '../../shared/faults.ts';
import { isJsonObject } from '../../shared/json.ts';
import { category } from '../event-type.ts';
import type { EventType } from '../event-type.ts';
import { isTypeNamed } from './proposal.ts';
import type { Proposal } from './proposal.ts';
import { below, childrenOf, extract, fieldOf, follow, placed, workOfDocument } from './reference.ts';
import type { Place, Work } from './reference.ts';

/** The catalogue as AsyncAPI 3.0, as it is for the application that receives: one message for each type. */
export function asyncApiOf(types: readonly EventType[]): object {
  return {
    asyncapi: '3.0.0',
    info: { title: 'Webhooks', version: '1', description: 'Events as an endpoint receives them, by POST.' },
    defaultContentType: 'application/json',
    channels: {
      webhooks: {
        address: null,
        description: 'The URL of the endpoint.',
        messages: Object.fromEntries(
          types.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }]),
        ),
      },
    },
    operations: {
      receiveEvent: {
        action: 'receive',
        channel: { $ref: '#/channels/webhooks' },
        summary: 'Verify the signature and answer 2xx.',
      },
    },
    components: {
      messages: Object.fromEntries(types.map((type) => [type.name, messageOf(type)])),
      schemas: {
        // Not the names of types, which begin with a letter or digit.
        _headers: headers,
        _event: envelope,
        ...Object.fromEntries(
          types.flatMap(({ name, schema }) =>
            schema === undefined ? [] : [[name, placed(schema, `/components/schemas/${name}`)]],
          ),
        ),
      },
    },
  };
}

/** Those of Standard Webhooks; an endpoint's scheme decides which of the last two there is (docs/signing.md). */
const headers = {
  type: 'object',
  required: ['webhook-id', 'webhook-timestamp'],
  properties: {
    'webhook-id': {
      type: 'string',
      description: 'The same for every attempt: to tell an event from its copy.',
    },
    'webhook-timestamp': { type: 'string', description: 'Epoch seconds of the attempt.' },
    'webhook-signature': {
      type: 'string',
      description: 'As Standard Webhooks has it, from an endpoint of the scheme `hmac`.',
    },
    'webhook-jwt': {
      type: 'string',
      description: 'A JWT over the content, from an endpoint of the scheme `jwt`.',
    },
  },
};

const envelope = {
  type: 'object',
  required: ['id', 'type', 'timestamp', 'organizationId', 'data'],
  properties: {
    id: { type: 'string' },
    type: { type: 'string' },
    timestamp: { type: 'string', format: 'date-time' },
    organizationId: { type: 'string' },
    resource: { type: 'string' },
    data: { type: 'object' },
  },
};

function messageOf({ name, category, description, example, schema, deprecated }: EventType): object {
  const data = schema === undefined ? true : { $ref: `#/components/schemas/${name}` };
  return {
    name,
    description,
    tags: [{ name: category }],
    headers: { $ref: '#/components/schemas/_headers' },
    payload: {
      type: 'object',
      allOf: [{ $ref: '#/components/schemas/_event' }],
      properties: { type: { const: name }, data },
    },
    ...(example === undefined ? {} : { examples: [{ payload: exampleOf(name, example) }] }),
    ...(deprecated === undefined ? {} : { 'x-deprecated': deprecated }),
  };
}

function exampleOf(type: string, data: unknown): object {
  return {
    id: 'evt_01JDB3KQX0M5N8P2R4T6V8W0Y2',
    type,
    timestamp: '2026-11-24T12:00:00.000Z',
    organizationId: 'org_1',
    data,
  };
}

const message = z.looseObject({
  name: z.string().optional(),
  title: z.string().optional(),
  summary: z.string().optional(),
  description: z.string().optional(),
  tags: z.array(z.looseObject({ name: z.string().optional() })).optional(),
  examples: z.array(z.looseObject({ payload: z.unknown() })).optional(),
  deprecated: z.boolean().optional(),
});

/**
 * The event types that an AsyncAPI document of version 2 or 3 describes: one for each message. A payload that has the
 * properties `type` and `data` is an envelope, and of any other all is data.
 *
 * @param refusals takes those of messages that cannot be read: `invalid_reference`, `unsupported_schema_format`,
 * `invalid_request`
 */
export function proposalsOfAsyncApi(document: unknown, refusals: InvalidRequest[]): Proposal[] {
  const messages = new Map<string, { readonly place: Place; readonly names: readonly string[] }>();
  for (const { place: from, names } of messagePlaces({ pointer: '', value: document })) {
    const place = readOrKeep(refusals, () => follow(document, from));
    if (place !== undefined && !messages.has(place.pointer)) messages.set(place.pointer, { place, names });
  }
  const source = { document, work: workOfDocument() };
  return [...messages.values()].flatMap(
    ({ place, names }) => readOrKeep(refusals, () => proposalOf(source, place, names)) ?? [],
  );
}

/** What types are taken from, and how much of it may still be looked at. */
interface Source {
  readonly document: unknown;
  readonly work: Work;
}

interface Named {
  readonly place: Place;
  /** By which the document knows it; the first that can be the name of an event type is. */
  readonly names: readonly string[];
}

function messagePlaces(root: Place): Named[] {
  const named = childrenOf(below(root, 'components', 'messages')).map(([name, place]) => ({
    place,
    names: [name],
  }));
  const channels = childrenOf(below(root, 'channels')).flatMap(([channel, place]) => [
    ...childrenOf(below(place, 'messages')).map(([name, one]) => ({ place: one, names: [name, channel] })),
    ...['publish', 'subscribe'].flatMap((operation) =>
      ofOperation(below(place, operation, 'message'), channel),
    ),
  ]);
  return [...named, ...channels];
}

/** As version 2 has it: one message, or several in `oneOf`. */
function ofOperation(place: Place, channel: string): Named[] {
  const several = childrenOf(below(place, 'oneOf')).map(([, one]) => ({ place: one, names: [channel] }));
  if (several.length > 0) return several;
  return place.value === undefined ? [] : [{ place, names: [channel] }];
}

function proposalOf(source: Source, place: Place, names: readonly string[]): Proposal {
  const { document } = source;
  const parsed = parsePart(message, place.value);
  if (!parsed.ok) throw refusalOf(parsed.faults).at(fieldOf(place));
  const { name, title, summary, description, tags = [], examples = [], ...rest } = parsed.value;
  const candidates = [...(name === undefined ? [] : [name]), ...names];
  const said =
    tags.map((tag) => tag.name).find((tag) => category.safeParse(tag).success) ?? rest['x-category'];
  const type =
    candidates.find((one) => isTypeNamed(one, undefined)) ?? candidates.find((one) => isTypeNamed(one, said));
  if (type === undefined) return { name: candidates[0] ?? '', place };
  const payload = payloadOf(document, place);
  const isEnvelope = ['type', 'data'].every((one) => below(payload, 'properties', one).value !== undefined);
  const example = examples[0]?.payload;
  return {
    name: type,
    place,
    definition: {
      category: said,
      description: description ?? summary ?? title ?? type,
      example: isEnvelope && isJsonObject(example) ? example['data'] : example,
      schema: schemaOf(source, isEnvelope ? below(payload, 'properties', 'data') : payload),
      deprecated: rest['x-deprecated'] ?? (rest.deprecated === true ? {} : undefined),
    },
  };
}

/** Where the schema of a message's payload stands; version 3 may name its format beside it. */
function payloadOf(document: unknown, at: Place): Place {
  const payload = follow(document, below(at, 'payload'));
  const format = below(payload, 'schemaFormat').value ?? below(at, 'schemaFormat').value;
  if (format !== undefined && !isJsonSchema(format)) {
    throw new InvalidRequest(
      'unsupported_schema_format',
      'The payload is described in another language than JSON Schema.',
      fieldOf(at),
    );
  }
  return below(payload, 'schemaFormat').value === undefined
    ? payload
    : follow(document, below(payload, 'schema'));
}

function isJsonSchema(format: unknown): boolean {
  return typeof format === 'string' && /^application\/(schema|vnd\.aai\.asyncapi)([+;]|$)/.test(format);
}

/** `true`, which everything satisfies, is no schema. */
function schemaOf({ document, work }: Source, at: Place): unknown {
  const place = follow(document, at);
  return place.value === undefined || place.value === true ? undefined : extract(document, place, work);
}
