import type { SQSRecord } from 'aws-lambda';
import type { Verdict } from '../shared/batch.ts';
import { parseJson } from '../shared/json.ts';
import { routeEvent } from './route-event.ts';
import type { RoutePorts } from './route-event.ts';

/** Takes a record of `events`. */
export async function receive(ports: RoutePorts, record: SQSRecord): Promise<Verdict> {
  return routeEvent(ports, readJson(record.body));
}

/** What is not JSON was put there by hand, and is treated like an event that cannot be read. */
function readJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
