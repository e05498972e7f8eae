import { z } from 'zod';
import { endpointId, organizationId } from '../../shared/identifier.ts';
import type { Owner } from './say.ts';

/** What travels in `recovery` to have the rows of an endpoint brought back. */
export const drainMessage = z.object({
  v: z.literal(1),
  organizationId,
  endpointId,
  /** The step after which it asks for the next one; absent when it was sent because the backlog's time had come. */
  turn: z.number().int().exactOptional(),
});

export type DrainMessage = z.output<typeof drainMessage>;

/** The message as SQS takes it. @param turn nothing to have it looked after whatever step it is at */
export function outgoingDrain(
  { organizationId, id: endpointId }: Owner,
  turn: number | undefined,
  delaySeconds: number,
) {
  const message: DrainMessage = { v: 1, organizationId, endpointId, ...(turn === undefined ? {} : { turn }) };
  return { body: JSON.stringify(message), delaySeconds, groupId: organizationId };
}
