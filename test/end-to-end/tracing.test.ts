import { afterAll, beforeAll, expect, it } from 'vitest';
import { anEntry, startTidings, until } from './tidings.ts';
import type { Tidings } from './tidings.ts';

let tidings: Tidings;

beforeAll(async () => {
  tidings = await startTidings();
});
afterAll(() => tidings.stop());

const traceId = '1-5759e988-bd862e3fe1be46a994272793';

const linesOf = (message: string) =>
  tidings.logLines.filter((line) => line.includes(`"${message}"`) && line.includes(`"traceId":"${traceId}"`));

it('a trace goes on from PutEvents to every attempt, through the queues', async () => {
  const organization = await tidings.makeOrganization('org_traced');
  await tidings.makeEndpoint(organization, '/traced');
  tidings.receiver.behave('/traced', (seen) => (seen < 2 ? 500 : 204));
  const TraceHeader = `Root=${traceId};Parent=53995c3f42cd8ad8;Sampled=1`;
  await tidings.publish(
    { ...anEntry(organization), TraceHeader },
    anEntry(organization, { type: 'security.policy.changed' }),
  );
  await until('three attempts in the trace', () => linesOf('delivery.attempted').length >= 3);
  expect(linesOf('event.routed')).toHaveLength(1);
  // Another event of the same call has its own attempts, and no trace.
  await until('the other event', () =>
    tidings.logLines.some((line) => line.includes('"security.policy.changed"') && !line.includes('traceId')),
  );
  expect(linesOf('delivery.attempted')).toHaveLength(3);
  // Not forwarded to receivers.
  const headers = tidings.received.map((one) => JSON.stringify(one));
  expect(headers.filter((text) => text.includes(traceId))).toEqual([]);
});
