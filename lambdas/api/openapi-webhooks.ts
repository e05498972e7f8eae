import { z } from 'zod';
import { builtInEventTypes } from '../event/catalogue.ts';
import { eventData } from '../event/event-type.ts';
import type { EventType } from '../event/event-type.ts';
import { eventId, organizationId } from '../shared/identifier.ts';
import type { Schemas } from './openapi-schema.ts';

/** The body of a webhook, as `bodyOf` of an event writes it. */
export const webhookEvent = z
  .object({
    id: eventId,
    type: z.string().describe('Name of the event type.'),
    timestamp: z.iso.datetime().describe('When it happened.'),
    organizationId,
    resource: z
      .string()
      .describe('What it happened to: events of one resource come in order as a rule, not as a promise.')
      .optional(),
    data: eventData,
  })
  .meta({
    id: 'WebhookEvent',
    description: 'An event as its receivers get it: the same bytes in every attempt, UTF-8.',
  });

/** The deliveries: one for each event type that comes with Tidings, and one for those of a deployment's own. */
export function webhooksOf(schemas: Schemas): object {
  const schema = schemas.at(webhookEvent, 'output');
  const own = {
    name: 'event',
    operationId: 'receiveEvent',
    summary: 'An event of a type of your own: see `GET /v1/event-types`',
    content: { schema },
  };
  const all = [...builtInEventTypes.map((type) => ofType(type, schema)), own];
  return Object.fromEntries(all.map(({ name, ...webhook }) => [name, { post: operationOf(webhook) }]));
}

function ofType({ name, description, example }: EventType, schema: object) {
  const words = name.split(/[._]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  const typed = { type: 'object', required: ['type'], properties: { type: { const: name } } };
  return {
    name,
    operationId: `receive${words.join('')}`,
    summary: description,
    content: {
      schema: { allOf: [schema, typed] },
      example: { ...anEvent, type: name, data: example },
    },
  };
}

const anEvent = {
  id: 'evt_01KB1QZ6V0J8Q4W2N5T7R9XACE',
  timestamp: '2026-11-27T10:00:00.000Z',
  organizationId: 'org_demo',
  resource: 'pipeline/42',
};

interface Webhook {
  readonly operationId: string;
  readonly summary: string;
  readonly content: object;
}

function operationOf({ operationId, summary, content }: Webhook): object {
  return {
    operationId,
    summary,
    description,
    tags: ['webhooks'],
    // Whom a webhook comes from is told by its signature, not by a token.
    security: [],
    parameters: headers.map(({ name }) => ({ $ref: `#/components/parameters/${name}` })),
    requestBody: { required: true, content: { 'application/json': content } },
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, name]) => [status, { $ref: `#/components/responses/${name}` }]),
    ),
  };
}

const description =
  'Verify the raw body before it is parsed, with a library of Standard Webhooks or, of the scheme `jwt`, by the key set ' +
  'of the organization. It comes at least once: `webhook-id` is the same over all attempts. Answer within the timeout ' +
  'of the endpoint, and do the work afterwards.';

const headers = [
  {
    name: 'webhook-id',
    required: true,
    schema: { type: 'string', pattern: '^evt_[0-9A-HJKMNP-TV-Z]{26}$' },
    description: 'The id of the event. What has been seen can be dropped.',
  },
  {
    name: 'webhook-timestamp',
    required: true,
    schema: { type: 'string', pattern: '^[0-9]+$' },
    description:
      'When the attempt was signed, in seconds since 1970. Refuse what is more than five minutes off.',
  },
  {
    name: 'webhook-signature',
    required: false,
    schema: { type: 'string', pattern: '^v1,[A-Za-z0-9+/]+=*( v1,[A-Za-z0-9+/]+=*)*$' },
    description:
      'Scheme `hmac`: HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}` by each live secret of the endpoint ' +
      '(Standard Webhooks); one that fits is enough.',
  },
  {
    name: 'webhook-jwt',
    required: false,
    schema: { type: 'string', pattern: '^[\\w-]+\\.[\\w-]+\\.[\\w-]+$' },
    description:
      'Scheme `jwt`: a token by a key of the organization, with `aud` (the id of the endpoint), `exp`, `webhook_id` and ' +
      '`body_sha256` (base64url). The keys: `getKeySet`.',
  },
];

/** Headers of a webhook, beside those that an endpoint asks for itself. */
export const webhookParameters = Object.fromEntries(
  headers.map((header) => [header.name, { in: 'header', ...header }]),
);

const patience = {
  'Retry-After': {
    schema: { type: 'string' },
    description: 'How long to wait at least: seconds, or a date as RFC 9110 lets servers write it.',
  },
};

const later = {
  description: 'It is tried again, not before `Retry-After`; the endpoint is left in peace until then.',
  headers: patience,
};

/** What a receiver may answer, and what comes of it. */
export const webhookResponses = {
  Taken: {
    description: 'Any 2xx: it is delivered. A body means nothing; with `keepResponse` its beginning is kept.',
  },
  Gone: { description: 'The endpoint is switched off, and gets nothing more.' },
  Later: later,
  NotTaken: {
    description: 'Anything else, a redirect too: it is tried again as the policy says, and then dead.',
  },
};

const answers: Readonly<Record<string, keyof typeof webhookResponses>> = {
  '2XX': 'Taken',
  410: 'Gone',
  429: 'Later',
  503: 'Later',
  default: 'NotTaken',
};
