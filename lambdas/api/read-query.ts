import { parse } from 'node:querystring';
import type { InvalidRequest } from '../shared/errors.ts';
import { refusalOf } from '../shared/faults.ts';

/** The query of a request as the HTTP API hands it on, as it was written and as it was read. */
interface Query {
  readonly rawQueryString: string;
  readonly queryStringParameters?: Readonly<Record<string, string | undefined>>;
}

/** The query without what is given twice, of which the HTTP API makes one value with a comma; that is refused. */
export function readQuery(
  { rawQueryString, queryStringParameters = {} }: Query,
  refusals: InvalidRequest[],
): Readonly<Record<string, string | undefined>> {
  // A thousand names at most: a limit stands before the work.
  const named = Object.entries(parse(rawQueryString));
  const twice = new Set(named.flatMap(([name, value]) => (Array.isArray(value) ? [name] : [])));
  for (const field of twice) {
    refusals.push(refusalOf([{ field, code: 'invalid_request', detail: 'is given twice: give it once' }]));
  }
  return Object.fromEntries(Object.entries(queryStringParameters).filter(([name]) => !twice.has(name)));
}
