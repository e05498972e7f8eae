import { z } from 'zod';

/** What the route function is told by the stack. */
export const routeEnv = z.object({
  CONFIG_TABLE: z.string().min(1),
  LEDGER_TABLE: z.string().min(1),
  EVENTS_QUEUE_URL: z.url(),
  EVENTS_FALLING_QUEUE_URL: z.url(),
  DELIVERIES_QUEUE_URL: z.url(),
  /** Takes operator events. */
  BUS_NAME: z.string().min(1),
  RETENTION_DAYS: z.coerce.number().int().min(1),
  /** What happens to an event whose data break the schema of its type. */
  EVENT_SCHEMAS: z.enum(['strict', 'warn']),
});

export type RouteEnv = Record<keyof z.input<typeof routeEnv>, string>;
