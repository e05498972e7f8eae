import { z } from 'zod';
import { deliveryStatus } from '../../delivery/delivery.ts';
import { endpointId, eventId, organizationId } from '../../shared/identifier.ts';

const place = z.object({ waitingAt: z.string() });

/** A delivery that waits, as the index `waiting` shows it. */
const deliveryRow = place.extend({
  organizationId,
  endpointId,
  eventId,
  eventType: z.string(),
  status: deliveryStatus,
  round: z.number().int(),
  attemptCount: z.number().int(),
  lastError: z.string().exactOptional(),
  /** Epoch seconds. */
  expiresAt: z.number(),
});

/** The health of an endpoint for which somebody must come. */
const healthRow = place.extend({ organizationId, endpointId, eventId: z.undefined().optional() });

/** What stands in the index `waiting`. */
export const row = z.union([deliveryRow, healthRow]);

export type Row = z.output<typeof row>;

/** A part of a partition, in the order of its places: all after the first, up to the last. */
export interface Stretch {
  readonly partition: string;
  readonly after: string | undefined;
  readonly through: string;
}

export interface RowPage {
  /** Those that are not past their time. */
  readonly rows: readonly Row[];
  /** The last place that was looked at. */
  readonly through: string | undefined;
  readonly isLast: boolean;
}

/** Reads rows that wait; they may be a moment behind. */
export interface ReadWaiting {
  readonly list: (stretch: Stretch, countMax: number) => Promise<RowPage>;
  /** How many there are, as far as that. */
  readonly count: (stretch: Stretch, countMax: number) => Promise<number>;
}
