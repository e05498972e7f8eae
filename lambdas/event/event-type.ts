import { z } from 'zod';
import { jsonObject } from '../shared/json.ts';

/** The four categories of event types; the test event has one of its own, to which nobody subscribes. */
export const subscribableCategories = [
  'pipeline_execution',
  'orchestration',
  'security_and_access',
  'governance',
] as const;

export const category = z.enum([...subscribableCategories, 'test']);

/** Of a name, between its dots. */
export const eventTypeWord = '[A-Za-z0-9][A-Za-z0-9_-]*';

/**
 * `pipeline.run.failed`, `userCreated`, `Order.Placed`: what Standard Webhooks recommends, and hyphens, since producers
 * on an existing bus use them. A letter or digit begins each word, so that no name is one of JavaScript's own.
 * `export` and `import` are operations of the catalogue, where a name would stand. EventBridge allows 128 characters in
 * detail-type.
 */
export const eventTypeName = z
  .string()
  .max(128)
  .regex(
    new RegExp(`^(?!(?:export|import)$)${eventTypeWord}(?:\\.${eventTypeWord})*$`),
    'words of letters, digits, _ and -, joined by dots, such as pipeline.run.failed, and neither export nor import',
  );

/** What an operator says of an event type of the deployment's own. */
export const eventTypeDefinition = z.strictObject({
  category: z.enum(subscribableCategories),
  description: z.string().min(1).max(1_000),
  /** An example of the event's `data`. */
  example: jsonObject.optional(),
  /** JSON Schema (draft 2020-12) of the event's `data`. */
  schema: jsonObject.optional(),
  /** That it will go away: it is delivered all the same, and whoever wants it is told what to do. */
  deprecated: z
    .strictObject({
      /** When it was first said; filled in when it is left out. */
      since: z.iso.datetime({ offset: true }).optional(),
      /** Event type that takes its place. */
      replacedBy: eventTypeName.optional(),
      note: z.string().min(1).max(1_000).optional(),
    })
    .optional(),
});

export type EventTypeDefinition = z.output<typeof eventTypeDefinition>;

export const eventType = eventTypeDefinition.extend({
  name: eventTypeName,
  category,
  /** Whether it comes with Tidings; such a type cannot be changed. */
  isBuiltIn: z.boolean(),
});

export type EventType = z.output<typeof eventType>;
