import { publishable } from './catalogue.ts';
import type { Catalogue } from './catalogue.ts';
import type { EventType } from './event-type.ts';
import { heedSchema } from './schema.ts';
import type { SchemaRule } from './schema.ts';

/**
 * The type that a caller of the API names, and what is wrong with the data that go with it, where the deployment only warns.
 *
 * @param said without data nothing is held against the type's schema
 * @throws InvalidRequest `unknown_event_type`, `schema_violation`, `schema_not_judged`
 */
export function judgeNamed(
  catalogue: Catalogue,
  { type: name, data }: { readonly type: string; readonly data?: unknown },
  rule: SchemaRule,
): { readonly type: EventType; readonly warning: string | undefined } {
  const type = publishable(catalogue, name);
  return { type, warning: data === undefined ? undefined : heedSchema(type, data, rule) };
}
