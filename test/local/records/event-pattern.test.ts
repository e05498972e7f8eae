import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventMatcher } from '../../../local/aws/event-pattern.ts';
import { named } from '../../lib/the-stack.ts';

const cases = z
  .array(
    z.object({
      pattern: z.unknown(),
      event: z.unknown(),
      verdict: z.union([z.boolean(), z.literal('refused')]),
    }),
  )
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, 'event-ruler.json'), 'utf8')));

/** Operators that event-ruler knows and nothing here uses: to match by chance would be worse than to refuse. */
const unknown = /\$or|wildcard|"(prefix|anything-but)":\{"(equals-ignore-case|suffix)"|"prefix":\[/;

describe('patterns, as aws/event-ruler 1.8.1 judges them', () => {
  it.each(cases)('$pattern of $event: $verdict', ({ pattern, event, verdict }) => {
    const isKnown = verdict !== 'refused' && !unknown.test(JSON.stringify(pattern));
    if (isKnown) expect(eventMatcher(pattern)(event)).toBe(verdict);
    else expect(() => eventMatcher(pattern)).toThrow('Event pattern is not valid');
  });
});

describe('the rules of the stack', () => {
  const patternOf = (name: string) => eventMatcher(named(name).Properties['EventPattern']);
  const [toEvents, toNobody] = [patternOf('IngestRule'), patternOf('IngestStrayRule')];
  const ways = (detail: unknown, source = 'acme') =>
    [toEvents, toNobody].map((matches) => matches({ source, 'detail-type': 't', detail }));

  it.each([
    ['org_1', [true, false]],
    [7, [true, false]],
    [null, [true, false]],
    [['org_1'], [true, false]],
    // No leaf stands at the path: `exists` does not match, and its opposite does.
    [{}, [false, true]],
    [{ id: 'org_1' }, [false, true]],
    [[], [false, true]],
    [[{ id: 'org_1' }], [false, true]],
  ])(
    'take an event whose organizationId is %j to events, to events-falling: %j',
    (organizationId, expected) => {
      expect(ways({ organizationId })).toEqual(expected);
    },
  );

  it('take every event to one queue and no more, whatever its detail is: nothing vanishes', () => {
    const detail = fc.oneof(
      fc.record({ organizationId: fc.jsonValue() }),
      fc.dictionary(fc.constantFrom('organizationId', 'organizationId.id', 'data'), fc.jsonValue()),
    );
    fc.assert(
      fc.property(detail, (given) => {
        expect(ways(given).filter((isTaken) => isTaken)).toHaveLength(1);
      }),
    );
  });

  it('leave our own operator events alone', () => {
    expect(ways({ organizationId: 'org_1' }, 'tidings')).toEqual([false, false]);
  });
});
