import type { memorySecrets } from '../../fakes/secrets.ts';
import type { MemoryTables } from '../../fakes/table/memory-tables.ts';
import type { Lane } from './lane.ts';
import type { Meter } from './meter.ts';
import type { Receiver } from './receiver.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What the parts of the stack share. */
export interface Surroundings {
  readonly time: VirtualTime;
  readonly chance: () => number;
  /** No two alike, whichever instance asks. */
  readonly newId: () => string;
  readonly meter: Meter;
  readonly tables: MemoryTables;
  /** Waits as long as a call of AWS takes. */
  readonly travel: () => Promise<void>;
  readonly lanes: Lanes;
  readonly secrets: ReturnType<typeof memorySecrets>;
  readonly receive: Receiver;
  readonly onLog: (message: string, fields: object) => void;
}

export type Lanes = Readonly<Record<'deliveries' | 'retries' | 'falling' | 'recovery', Lane>>;
