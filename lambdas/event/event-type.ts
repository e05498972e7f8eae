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

/** Lower-case words joined by dots: `pipeline.run.failed`. EventBridge allows 128 characters in detail-type. */
export const eventTypeName = z
  .string()
  .max(128)
  .regex(
    /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/,
    'lower-case words joined by dots, such as pipeline.run.failed',
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
