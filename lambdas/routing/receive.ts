import type { SQSRecord } from 'aws-lambda';
import type { Verdict } from '../shared/batch.ts';
import { routeEvent } from './route-event.ts';
import type { RoutePorts } from './route-event.ts';

export interface ReceivePorts extends RoutePorts {
  /** Sends a message on to `events-falling`, as it came. */
  readonly fall: (record: SQSRecord) => Promise<void>;
  /** Whether a message was received from there. */
  readonly isFalling: (record: SQSRecord) => boolean;
}

/**
 * Takes a record of `events`, or of `events-falling`. What no organization could ever see leaves `events` at its first
 * receive: the fifty receives there are for outages of ours. In `events-falling` it is looked at once more, and then
 * falls into `events-dead` after three receives. A redrive to source brings it back there, to be looked at again.
 */
export async function receive(ports: ReceivePorts, record: SQSRecord): Promise<Verdict> {
  const isFalling = ports.isFalling(record);
  const { SentTimestamp, ApproximateReceiveCount } = record.attributes;
  const receivedAtMs = Number(SentTimestamp);
  // An organization that was made before the event fell is known to whoever looks after that.
  const receipt = { receivedAtMs, messageId: record.messageId, sinceMs: isFalling ? receivedAtMs : 0 };
  const routed = await routeEvent(ports, record.body, receipt);
  if (routed.kind === 'stored') return 'done';
  if (!isFalling) {
    await ports.fall(record);
    return 'done';
  }
  // Said once each time it falls, though it takes three receives.
  if (ApproximateReceiveCount === '1') ports.log('event.refused', routed.why);
  return 'falling';
}
