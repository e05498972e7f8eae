import { z } from 'zod';
import { jsonObject } from '../shared/json.ts';

/** The four categories of event types; the test event has one of its own, to which nobody subscribes. */
export const subscribableCategories = [
  'pipeline_execution',
  'orchestration',
  'security_and_access',
  'governance',
] as const;

/** One to which an endpoint can subscribe. */
export const subscribableCategory = z.enum(subscribableCategories).meta({ id: 'SubscribableCategory' });

export const category = z.enum([...subscribableCategories, 'test']).meta({ id: 'Category' });

/** Of a name, between its dots. */
export const eventTypeWord = '[A-Za-z0-9][A-Za-z0-9_-]*';

/**
 * `pipeline.run.failed`, `userCreated`, `Order.Placed`: what Standard Webhooks recommends, and hyphens, since producers
 * on an existing bus use them. A letter or digit begins each word, so that no name is one of JavaScript's own.
 * EventBridge allows 128 characters in detail-type.
 */
export const eventTypeName = z
  .string()
  .max(128)
  .regex(
    new RegExp(`^${eventTypeWord}(?:\\.${eventTypeWord})*$`),
    'words joined by dots, such as pipeline.run.failed, each of letters, digits, _ and -, beginning with a letter or digit',
  )
  .describe('Name of an event type, such as `pipeline.run.failed`.');

/** Of a type that is defined: `export` and `import` are operations of the catalogue, where its name would stand. */
export const definedName = eventTypeName
  .refine((name) => name !== 'export' && name !== 'import', 'must be neither export nor import')
  .describe('Name of an event type of your own, such as `invoice.paid`.');

/** The data of an event, as its producer writes them. */
export const eventData = jsonObject.meta({
  id: 'EventData',
  description: 'Any JSON object: what the event says, as the schema of its type has it.',
});

/** JSON Schema, as an operator writes it. */
const jsonSchema = jsonObject.meta({
  id: 'JsonSchema',
  description: 'A JSON Schema of draft 2020-12.',
});

/** What an operator says of an event type of the deployment's own. */
export const eventTypeDefinition = z
  .strictObject({
    category: subscribableCategory,
    description: z.string().min(1).max(1_000),
    /** An example of the event's `data`. */
    example: eventData.optional(),
    /** JSON Schema (draft 2020-12) of the event's `data`. */
    schema: jsonSchema.optional(),
    /** That it will go away: it is delivered all the same, and whoever wants it is told what to do. */
    deprecated: z
      .strictObject({
        /** When it was first said; filled in when it is left out. */
        since: z.iso.datetime({ offset: true }).optional(),
        /** Event type that takes its place. */
        replacedBy: eventTypeName.optional(),
        note: z.string().min(1).max(1_000).optional(),
      })
      .meta({ id: 'Deprecation' })
      .optional(),
  })
  .meta({ id: 'EventTypeDefinition' });

export type EventTypeDefinition = z.output<typeof eventTypeDefinition>;

export const eventType = eventTypeDefinition
  .extend({
    name: eventTypeName,
    category,
    /** Whether it comes with Tidings; such a type cannot be changed. */
    isBuiltIn: z.boolean(),
  })
  .meta({ id: 'EventType' });

export type EventType = z.output<typeof eventType>;
