import { firstMessage } from '../../lambdas/delivery/message.ts';
import type { DeliveryMessage } from '../../lambdas/delivery/message.ts';
import { endpointIdOf, eventIdOf } from './ids.ts';

/** The message that asks for the first attempt to deliver the event `one` to the endpoint `one`. */
export function aMessage(given: Partial<DeliveryMessage> = {}): DeliveryMessage {
  const ids = { organizationId: 'org_1', endpointId: endpointIdOf('one'), eventId: eventIdOf('one') };
  return { ...firstMessage({ ...ids, eventType: 'pipeline.run.failed' }), ...given };
}
