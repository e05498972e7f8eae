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
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const name of new URLSearchParams(rawQueryString).keys()) (seen.has(name) ? twice : seen).add(name);
  for (const field of twice) {
    refusals.push(refusalOf([{ field, code: 'invalid_request', detail: 'is given twice: give it once' }]));
  }
  return Object.fromEntries(Object.entries(queryStringParameters).filter(([name]) => !twice.has(name)));
}
