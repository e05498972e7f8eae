import { allNow } from '../shared/errors.ts';
import { refusalOf } from '../shared/faults.ts';

/** A span of time that is to be recovered, in ISO time, as far as it was said. */
interface Span {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** From the beginning, if nothing else is said: an event may have happened long before it was published. */
export function millisecondsOf({ since, until }: Span, nowMs: number): { sinceMs: number; untilMs: number } {
  return {
    sinceMs: since === undefined ? 0 : Date.parse(since),
    untilMs: until === undefined ? nowMs : Date.parse(until),
  };
}

/**
 * Refuses a span that holds nothing.
 *
 * @throws InvalidRequest with all that is wrong with it
 */
export function refuseSpan(span: Span, nowMs: number): void {
  const { sinceMs, untilMs } = millisecondsOf(span, nowMs);
  allNow(
    () => {
      if (sinceMs < nowMs) return;
      throw refusalOf([{ field: 'since', code: 'invalid_request', detail: 'must lie in the past' }]);
    },
    () => {
      if (span.until === undefined || untilMs > sinceMs) return;
      throw refusalOf([{ field: 'until', code: 'invalid_request', detail: 'must lie after since' }]);
    },
  );
}
