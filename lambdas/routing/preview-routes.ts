import { z } from 'zod';
import { wantsBy } from '../endpoint/wants.ts';
import type { Subscribers } from '../endpoint/subscribers.ts';
import type { Catalogue } from '../event/catalogue.ts';
import { eventType, eventTypeName } from '../event/event-type.ts';
import { skipReason } from '../event/event.ts';
import { data } from '../event/published.ts';
import { judgeNamed } from '../event/judge-named.ts';
import type { SchemaRule } from '../event/schema.ts';
import { isEntitled } from '../organization/organization.ts';
import { NotFound } from '../shared/errors.ts';
import { endpointId, organizationId } from '../shared/identifier.ts';
import { noQuery, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { standings } from './standing.ts';
import type { StandingPorts } from './standing.ts';

export interface PreviewPorts extends StandingPorts {
  readonly readSubscribers: (organizationId: string) => Promise<Subscribers>;
  readonly readCatalogue: () => Promise<Catalogue>;
  /** What happens to data that break the schema of their type. */
  readonly schemas: SchemaRule;
}

const previewed = z
  .strictObject({
    endpointId,
    url: z.string(),
    receives: z.boolean(),
    /** What of its subscription asks for the event: a name, a pattern or a category. */
    subscribedBy: z.string().exactOptional(),
    /** Why it would not receive it. */
    reason: z
      .enum([...skipReason.options, 'unsubscribed'])
      .meta({ id: 'NotReceivedReason' })
      .exactOptional(),
  })
  .meta({ id: 'PreviewedEndpoint' });

const preview = z
  .strictObject({
    data: z.array(previewed),
    /** Where the data break the schema of the type; they are delivered all the same. */
    warning: z.string().exactOptional(),
    /** What is said of a type that will go away. */
    deprecated: eventType.shape.deprecated,
  })
  .meta({ id: 'EventPreview' });

/** Says who would receive an event of a type, and who would not, and why; by the same rules as routing. */
export function previewRoutes(ports: PreviewPorts): Route[] {
  const previewing = route({
    method: 'POST',
    path: '/v1/organizations/{organizationId}/events/preview',
    operationId: 'previewEvent',
    summary: 'Who would receive an event of a type, who would not, and why; nothing is sent',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: z.strictObject({ organizationId }),
    query: noQuery,
    body: z.strictObject({ type: eventTypeName, data: data.optional() }).meta({ id: 'EventToPreview' }),
    rules: async ({ type, data: said }) => {
      if (type !== undefined) judgeNamed(await ports.readCatalogue(), { type, data: said }, ports.schemas);
    },
    answer: { status: 200, schema: preview },
    handle: ({ params, body }) => previewOf(ports, params.organizationId, body),
  });
  return [previewing];
}

async function previewOf(
  ports: PreviewPorts,
  organizationId: string,
  asked: { readonly type: string; readonly data?: unknown },
): Promise<z.output<typeof preview>> {
  const { type, warning } = judgeNamed(await ports.readCatalogue(), asked, ports.schemas);
  const { organization, endpoints } = await ports.readSubscribers(organizationId);
  if (organization === undefined) throw new NotFound('organization');
  const asking = endpoints.map((endpoint) => ({ endpoint, subscribedBy: wantsBy(endpoint, type) }));
  const wanting = asking.flatMap(({ endpoint, subscribedBy }) =>
    subscribedBy === undefined ? [] : [endpoint],
  );
  const stand = await standings(ports, wanting);
  const reasons = new Map(stand.map(({ endpointId, reason }) => [endpointId, reason]));
  const access = isEntitled(organization) ? undefined : 'not_entitled';
  return {
    ...(warning === undefined ? {} : { warning }),
    ...(type.deprecated === undefined ? {} : { deprecated: type.deprecated }),
    data: asking.map(({ endpoint: { id: endpointId, url }, subscribedBy }) => {
      if (subscribedBy === undefined) return { endpointId, url, receives: false, reason: 'unsubscribed' };
      const reason = access ?? reasons.get(endpointId);
      if (reason === undefined) return { endpointId, url, receives: true, subscribedBy };
      return { endpointId, url, receives: false, subscribedBy, reason };
    }),
  };
}
