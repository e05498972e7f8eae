import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of the heap that are in use, once what nobody holds has been let go of. */
export function heapBytes(): number {
  // The second time takes what the first one has only found.
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
