import { z } from 'zod';
import { parseJson } from '../shared/json.ts';
import { drainMessage } from '../endpoint/health/drain-message.ts';
import { jobMessage } from './job.ts';

const work = z.union([jobMessage, drainMessage]);

/** What a message of `recovery` asks for; `undefined` for a poisonous one. */
export function readWork(body: string): z.output<typeof work> | undefined {
  try {
    return work.parse(parseJson(body));
  } catch {
    return undefined;
  }
}
