/** A question that somebody asks at night, as CloudWatch Logs Insights takes it. */
export interface Query {
  readonly name: string;
  /** Functions whose logs are asked; all without. */
  readonly of?: readonly string[];
  readonly fields: readonly string[];
  readonly filter: string;
  readonly rest?: readonly string[];
}

export const queries: readonly Query[] = [
  {
    name: 'attempts-of-an-endpoint',
    of: ['Deliver'],
    fields: ['eventId', 'attempt', 'outcome', 'code', 'statusCode', 'durationMs'],
    filter: 'message = "delivery.attempted" and endpointId = "ep_…"',
  },
  {
    name: 'what-became-of-an-event',
    fields: ['message', 'endpointId', 'attempt', 'outcome', 'code', 'traceId'],
    filter: 'eventId = "evt_…" or busEventId = "…"',
  },
  {
    name: 'slowest-receivers',
    of: ['Deliver'],
    fields: ['endpointId', 'durationMs'],
    filter: 'message = "delivery.attempted"',
    rest: [
      'stats pct(durationMs, 95) as p95, count(*) as attempts by endpointId',
      'sort p95 desc',
      'limit 20',
    ],
  },
  {
    name: 'why-attempts-fail',
    of: ['Deliver'],
    fields: ['endpointId', 'code'],
    filter: 'message = "delivery.attempted" and outcome != "delivered"',
    rest: ['stats count(*) as attempts by code, endpointId', 'sort attempts desc', 'limit 50'],
  },
  {
    name: 'why-deliveries-wait',
    of: ['Deliver'],
    fields: ['endpointId', 'cause'],
    filter: 'message = "delivery.waits"',
    rest: ['stats count(*) as waits by cause, endpointId', 'sort waits desc', 'limit 50'],
  },
  {
    name: 'events-of-nobody',
    of: ['Route'],
    fields: ['source', 'eventType', 'code', 'problem', 'organizationId'],
    filter:
      'message = "event.refused" and (code = "malformed_event" or code = "unknown_organization" or code = "idempotency_conflict")',
    rest: [
      'stats count(*) as events by source, eventType, code, problem, organizationId',
      'sort events desc',
      'limit 50',
    ],
  },
  {
    name: 'faults-of-ours',
    fields: ['message', 'fault', 'organizationId', 'endpointId', 'eventId', 'requestId'],
    filter: 'ispresent(fault) or level = "ERROR"',
  },
  {
    name: 'an-api-request',
    of: ['Handler', 'Test'],
    fields: ['message', 'operation', 'status', 'code', 'organizationId', 'durationMs'],
    filter: 'requestId = "…"',
  },
];
