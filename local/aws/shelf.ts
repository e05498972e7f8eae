import { ClassicLevel } from 'classic-level';

/** Where the stand-ins keep what must outlive the process: keys and JSON values (binary as base64, by whoever puts it). */
export interface Shelf {
  /** Resolves when the record would survive a `kill -9` of this process. */
  put(key: string, value: unknown): Promise<void>;
  /** Resolves when the record would stay gone after a `kill -9`. */
  remove(key: string): Promise<void>;
  /** Every record whose key begins with `prefix`, in the order of keys. */
  entries(prefix: string): Promise<[string, unknown][]>;
  close(): Promise<void>;
}

/** A shelf for as long as the process lives. Values are kept as JSON text, so that it forgives no more than a folder does. */
export function memoryShelf(): Shelf {
  const records = new Map<string, string>();
  return {
    put: (key, value) => {
      records.set(key, JSON.stringify(value));
      return Promise.resolve();
    },
    remove: (key) => {
      records.delete(key);
      return Promise.resolve();
    },
    entries: (prefix) => {
      const found = [...records].filter(([key]) => key.startsWith(prefix)).sort(byKey);
      return Promise.resolve(found.map(([key, value]) => [key, parseValue(value)]));
    },
    close: () => Promise.resolve(),
  };
}

/**
 * A shelf in a folder, on LevelDB. LevelDB hands every write to the operating system before it answers, so a killed
 * process loses nothing; only a machine that loses power could, and a laptop's test data may.
 */
export async function folderShelf(folder: string): Promise<Shelf> {
  const level = new ClassicLevel(folder);
  await level.open();
  const writes = orderedWrites(level);
  return {
    put: (key, value) => writes.add({ type: 'put', key, value: JSON.stringify(value) }),
    remove: (key) => writes.add({ type: 'del', key }),
    entries: async (prefix) => {
      await writes.done();
      const found = await level.iterator({ gte: prefix, lt: `${prefix}\uffff` }).all();
      return found.map(([key, value]) => [key, parseValue(value)]);
    },
    close: async () => {
      await writes.done();
      await level.close();
    },
  };
}

type Write = { type: 'put'; key: string; value: string } | { type: 'del'; key: string };

/**
 * One batch at a time, holding whatever was asked for meanwhile: single writes run on several threads and could
 * overtake each other, so that a message deleted right after it was sent came back at the next start.
 */
function orderedWrites(level: ClassicLevel): { add(write: Write): Promise<void>; done(): Promise<void> } {
  let waiting: Write[] = [];
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  function startBatch(): Promise<void> {
    const batch = waiting;
    waiting = [];
    next = undefined;
    return level.batch(batch);
  }

  return {
    add: (write) => {
      waiting.push(write);
      if (next === undefined) {
        next = running.then(startBatch);
        // A failed batch is reported to those who waited for it; the next one must still run.
        running = next.catch(() => undefined);
      }
      return next;
    },
    done: () => running,
  };
}

function parseValue(text: string): unknown {
  return JSON.parse(text);
}

function byKey([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : Number(one > other);
}
