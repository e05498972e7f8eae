import { firstMessage, outgoing } from '../../../lambdas/delivery/message.ts';
import type { Endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { packBody } from '../../../lambdas/event/body.ts';
import { anEvent } from '../../fakes/an-event.ts';
import type { Receiver } from '../lanes/receiver.ts';
import { makeStack } from '../lanes/stack.ts';

export interface SceneWish {
  readonly endpoints: readonly Endpoint[];
  readonly receive: Receiver;
  /** Events a second, at random moments. */
  readonly perSecond: number;
  readonly seconds: number;
  /** Whom the event of a number is for. */
  readonly endpointsOf: (number: number) => readonly Endpoint[];
  readonly coldMs?: number;
}

/** When each event was published, and the most that was worked on at the same time. */
export interface Played {
  readonly publishedMs: ReadonlyMap<string, number>;
  readonly mostBatches: ReadonlyMap<string, number>;
  readonly instances: number;
}

/** The same for all: to compress each takes longer than to deliver it. */
const body = packed();

/** Until the last deliveries have arrived that are not held back. */
const lastMs = 60_000;

/** Publishes events at a rate, and lets the engine deliver them. */
export async function playScene(wish: SceneWish): Promise<Played> {
  const { endpoints, receive, perSecond, seconds, endpointsOf, coldMs = 0 } = wish;
  const stack = await makeStack({ endpoints, receive, coldMs });
  const { time, chance, lanes } = stack;
  const stop = stack.wakeEveryMinute();
  const publishedMs = new Map<string, number>();
  const [startMs, endMs] = [time.now(), time.now() + seconds * 1_000];
  const publish = async (number: number): Promise<void> => {
    const whom = endpointsOf(number);
    const event = { ...anEvent({ name: String(number), timeMs: time.now() }), body };
    publishedMs.set(event.id, time.now());
    await stack.addEvent({ ...event, endpoints: whom.map(({ id }) => id) });
    const { organizationId, id: eventId, type: eventType } = event;
    const messages = whom.map(({ id: endpointId }) =>
      outgoing(firstMessage({ organizationId, endpointId, eventId, eventType, configuration: 0 }), 0),
    );
    // Routing takes it, writes it, and sends what it asks for together.
    await time.sleep(chance() * 20);
    await stack.travel();
    await stack.travel();
    lanes.deliveries.send('route', messages);
  };
  let atMs = startMs;
  for (let number = 0; ; number += 1) {
    atMs += (-Math.log(1 - chance()) * 1_000) / perSecond;
    if (atMs >= endMs) break;
    time.at(atMs, () => void publish(number));
  }
  await time.run(() => time.now() >= endMs + lastMs);
  stop();
  return { publishedMs, mostBatches: stack.deliver.most, instances: stack.deliver.instances };
}

function packed() {
  const packedBody = packBody(Buffer.from(JSON.stringify({ data: { text: 'x'.repeat(2_000) } })));
  if (packedBody === undefined) throw new Error('this body is too large');
  return packedBody;
}
