import { expect, test } from 'vitest';
import { byVersion } from '../../../lambdas/shared/versions.ts';
import { cached } from '../../../lambdas/shared/cache.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { aRouting } from './a-routing.ts';

const event = (id: string) => ({
  id,
  'detail-type': 'pipeline.run.failed',
  source: 'acme',
  time: '2026-11-23T10:00:00Z',
  detail: { organizationId: 'org_1', data: {} },
});

/** Routing that remembers the configuration by its version, as the handler does. */
function aRememberingRouting() {
  const routing = aRouting({ endpoints: [anEndpoint({ name: 'first' })] });
  const { configuration, ports, clock } = routing;
  const { versions } = configuration;
  const subscribers = cached(
    (organizationId = '') => configuration.readSubscribers(organizationId),
    () => true,
    { now: clock.now },
  );
  const asOfNow = byVersion(versions, subscribers);
  ports.lookUpSubscribers = (organizationId) => asOfNow(organizationId);
  return routing;
}

// The preview reads the configuration itself: what it says must be so a millisecond after.
test('an event that comes the moment after a change was answered goes by it', async () => {
  const routing = aRememberingRouting();
  const { clock, configuration } = routing;
  await routing.publish(event('before'));
  await routing.settle();
  clock.pass(30);
  const made = anEndpoint({ name: 'second' });
  configuration.set(made);
  await configuration.sayChanged('org_1');
  clock.pass(1);
  await routing.publish(event('after'));
  await routing.settle();
  expect(routing.sent().filter(({ endpointId }) => endpointId === made.id)).toHaveLength(1);
});
