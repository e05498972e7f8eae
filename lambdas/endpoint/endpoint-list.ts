import { eventTypeName } from '../event/event-type.ts';
import type { EventType } from '../event/event-type.ts';
import { flag } from '../shared/flag.ts';
import { pageQuery } from '../shared/page.ts';
import type { PageQuery } from '../shared/page.ts';
import type { Endpoint } from './endpoint.ts';
import { wants } from './wants.ts';

/** What the API's list of endpoints takes. */
export const endpointListQuery = pageQuery.extend({
  active: flag.describe('Only those that are active, or only those that are not.').optional(),
  type: eventTypeName
    .describe('Only those that want events of this type, by its name, a prefix or its category.')
    .optional(),
});

/** A page reads at most `limit` endpoints and shows those that are asked for. */
export interface EndpointsQuery extends PageQuery {
  readonly active?: boolean | undefined;
  readonly wanting?: Pick<EventType, 'name' | 'category'> | undefined;
}

/** Whether a filtered list shows an endpoint. */
export function isAskedFor({ active, wanting }: EndpointsQuery, endpoint: Endpoint): boolean {
  if (active !== undefined && endpoint.active !== active) return false;
  return wanting === undefined || wants(endpoint, wanting);
}
