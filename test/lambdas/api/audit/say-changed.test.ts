import { expect, it, vi } from 'vitest';
import { aDelivery } from '../../../fakes/a-delivery.ts';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { anEvent } from '../../../fakes/an-event.ts';
import { anOrganization } from '../../../fakes/an-organization.ts';
import { memoryConfiguration } from '../../../fakes/configuration.ts';
import { aService, operator } from '../a-service.ts';

const endpoint = anEndpoint();
const one = `/v1/organizations/org_1/endpoints/${endpoint.id}`;

function aWorld() {
  const configuration = memoryConfiguration();
  configuration.setOrganization(anOrganization({ id: 'org_1' }));
  configuration.set(endpoint);
  const service = aService({ configuration });
  const { habits } = service.ports;
  if (habits === undefined) throw new Error('the service makes changes');
  const said = vi.fn(habits.audit.sayChanged);
  Object.assign(habits.audit, { sayChanged: said });
  return { ...service, said };
}

const schemaOf = (names: readonly string[]) => ({
  $defs: Object.fromEntries(
    names.map((name) => [name, { description: 'Due.', type: 'object', 'x-category': 'governance' }]),
  ),
});

it('every function is told of an import once: for each of its changes all of them read everything anew', async () => {
  const { ask, said, eventTypes } = aWorld();
  const body = schemaOf(['acme.one', 'acme.two', 'acme.three']);
  const answer = await ask({ method: 'POST', path: '/v1/event-types/import', body, claims: operator });
  expect(answer.statusCode).toBe(200);
  expect(await eventTypes.list()).toHaveLength(3);
  expect(said.mock.calls).toEqual([['*']]);
});

it('also of one that breaks off in the middle: a refusal of the second change has made the first', async () => {
  const { ask, said, eventTypes } = aWorld();
  const { replace } = eventTypes;
  let writes = 0;
  Object.assign(eventTypes, {
    replace: (...given: Parameters<typeof replace>) =>
      (writes += 1) === 1 ? replace(...given) : Promise.resolve(false),
  });
  const body = schemaOf(['acme.one', 'acme.two']);
  const answer = await ask({ method: 'POST', path: '/v1/event-types/import', body, claims: operator });
  expect(answer.statusCode).toBe(409);
  expect(said).toHaveBeenCalledTimes(1);
});

it('nobody is answered before it is said, and who cannot be told so is told of a fault', async () => {
  const { ask, said } = aWorld();
  said.mockRejectedValueOnce(new Error('away'));
  expect((await ask({ method: 'PATCH', path: one, body: { active: false } })).statusCode).toBe(500);
  expect((await ask({ method: 'PATCH', path: one, body: { active: true } })).statusCode).toBe(200);
  expect(said).toHaveBeenCalledTimes(2);
});

it('nothing is said of what was refused or read, nor of a retry: that changes no configuration', async () => {
  const { ask, said, ledger } = aWorld();
  await ask({ method: 'PATCH', path: one, body: { active: false }, ifMatch: '"old"' });
  await ask({ path: one });
  const event = anEvent({ endpoints: [endpoint.id] });
  await ledger.events.add(event);
  await ledger.record(aDelivery({ eventId: event.id, status: 'dead' }));
  const retried = await ask({ method: 'POST', path: `${one}/deliveries/${event.id}/retry` });
  expect(retried.statusCode).toBe(202);
  expect(said).not.toHaveBeenCalled();
});
