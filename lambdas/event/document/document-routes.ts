import { z } from 'zod';
import { difference } from '../../shared/difference.ts';
import { flag } from '../../shared/flag.ts';
import { jsonObject } from '../../shared/json.ts';
import { itself, noBody, noParams, route } from '../../shared/route.ts';
import type { Route } from '../../shared/route.ts';
import { isoTime } from '../../shared/time.ts';
import { catalogueOf } from '../catalogue.ts';
import { subscribableCategory } from '../event-type.ts';
import { replaceType } from '../replace-type.ts';
import type { EventTypePorts } from '../replace-type.ts';
import { asyncApiOf } from './async-api.ts';
import { planTypes } from './import-types.ts';
import type { TypeOutcome } from './import-types.ts';
import { jsonSchemaOf } from './json-schema.ts';

const formats = { asyncapi: asyncApiOf, jsonschema: jsonSchemaOf } as const;

const example = {
  $defs: {
    'billing.invoice.paid': {
      description: 'An invoice was paid.',
      'x-category': 'governance',
      examples: [{ amount: '12.50' }],
      allOf: [{ type: 'object', required: ['amount'], properties: { amount: { type: 'string' } } }],
    },
  },
};

const importedType = z
  .strictObject({
    name: z.string(),
    outcome: z.enum(['added', 'changed', 'unchanged', 'ignored']).meta({ id: 'EventTypeImportOutcome' }),
    /** Why it was ignored. */
    reason: z.enum(['built_in', 'not_an_event_type']).meta({ id: 'IgnoredReason' }).optional(),
    /** Of a type that is changed. */
    changes: z.array(difference).optional(),
  })
  .meta({ id: 'ImportedEventType' });

const imported = z
  .strictObject({ dryRun: z.boolean(), eventTypes: z.array(importedType) })
  .meta({ id: 'EventTypeImport' });

const document = jsonObject.meta({
  id: 'EventTypeDocument',
  description: 'An AsyncAPI document, or a JSON Schema that has the event types in `$defs`.',
  examples: [example],
});

/** The operations that exchange the catalogue with other tools. */
export function documentTypeRoutes(ports: EventTypePorts): Route[] {
  return [exportRoute(ports), importRoute(ports)];
}

function exportRoute({ eventTypes }: EventTypePorts): Route {
  return route({
    method: 'GET',
    path: '/v1/event-types/export',
    operationId: 'exportEventTypes',
    summary: 'The catalogue as AsyncAPI 3.0, or as a JSON Schema with the schema of each type in $defs',
    scope: 'webhooks:read',
    entitlement: 'none',
    params: noParams,
    query: z.strictObject({
      format: z
        .enum(['asyncapi', 'jsonschema'])
        .meta({ id: 'DocumentFormat' })
        .default('asyncapi')
        .describe('As what the catalogue is written.'),
    }),
    body: noBody,
    answer: { status: 200, schema: document },
    handle: async ({ query }) => {
      const types = [...catalogueOf(await eventTypes.list()).values()];
      return formats[query.format](types.toSorted((a, b) => a.name.localeCompare(b.name)));
    },
  });
}

function importRoute(ports: EventTypePorts): Route {
  return route({
    method: 'POST',
    path: '/v1/event-types/import',
    operationId: 'importEventTypes',
    summary:
      'Add and change event types from AsyncAPI (2 or 3) or JSON Schema; what is not named there stays',
    scope: 'webhooks:operate',
    entitlement: 'none',
    params: noParams,
    query: z.strictObject({
      dryRun: flag.meta({ description: 'Whether to show only what it would do.', default: false }).optional(),
      category: subscribableCategory.describe('Of event types for which the document names none.').optional(),
    }),
    body: document,
    bodyTypes: ['application/json', 'application/*+json'],
    answer: { status: 200, schema: imported },
    handle: async ({ query, body, audited }) => {
      const at = isoTime(ports.now());
      const planned = planTypes(body, await ports.eventTypes.list(), { category: query.category, at });
      const dryRun = query.dryRun === 'true';
      for (const one of dryRun ? [] : planned) {
        if (one.outcome !== 'added' && one.outcome !== 'changed') continue;
        await audited(one.change.before, () => replaceType(ports, one.change), itself);
      }
      return { dryRun, eventTypes: planned.map(show) };
    },
  });
}

function show(one: TypeOutcome): z.output<typeof imported>['eventTypes'][number] {
  const { name, outcome } = one;
  if (one.outcome === 'ignored') return { name, outcome, reason: one.reason };
  return { name, outcome, ...(one.outcome === 'changed' ? { changes: [...one.changes] } : {}) };
}
