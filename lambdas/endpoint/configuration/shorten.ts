import type { Difference } from '../../shared/difference.ts';
import type { EndpointOutcome } from './carry-out.ts';

/**
 * What is shown of values before and after, in the whole answer of an import: two of a thousand endpoints with 200 event
 * types each would be twice the document. A function answers with 6 MB at most, and the ledger keeps an answer
 * for its `Idempotency-Key` in 400 KB (api/seal-answer.ts): the secrets in it must fit.
 */
const shownBytesMax = 128 * 1024;

/** The outcomes with as many of the values before and after as the answer has room for; the fields are all named. */
export function shorten(outcomes: readonly EndpointOutcome[]): EndpointOutcome[] {
  let left = shownBytesMax;
  const shortened = (change: Difference): Difference => {
    const { field, ...values } = change;
    const bytes = Buffer.byteLength(JSON.stringify(values));
    if (bytes > left) return { field };
    left -= bytes;
    return change;
  };
  return outcomes.map((one) =>
    one.changes === undefined ? one : { ...one, changes: one.changes.map(shortened) },
  );
}
