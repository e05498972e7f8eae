import fc from 'fast-check';

/** Few names and values, so that patterns and events meet; a dotted name stands for a nested one. */
const name = fc.constantFrom('a', 'b', 'c', 'a.b');
const scalar = fc.constantFrom('x', 'y', 'xy', '', 1, 2, 3, true, false, null);

const event = fc.letrec<{ object: unknown; value: unknown }>((tie) => ({
  object: fc.dictionary(name, tie('value'), { maxKeys: 2 }),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 2 }),
    tie('object'),
  ),
})).object;

const operator = fc.oneof(
  { weight: 2, arbitrary: scalar },
  { weight: 1, arbitrary: fc.record({ exists: fc.constant(true) }) },
  { weight: 2, arbitrary: fc.record({ exists: fc.constant(false) }) },
  {
    weight: 2,
    arbitrary: fc.record({ 'anything-but': fc.constantFrom('x', 1, ['x', 'y'], [1, 2], { prefix: 'x' }) }),
  },
  { weight: 1, arbitrary: fc.record({ prefix: fc.constantFrom('x', 'y', '') }) },
  { weight: 1, arbitrary: fc.record({ suffix: fc.constantFrom('x', 'y') }) },
  { weight: 1, arbitrary: fc.record({ 'equals-ignore-case': fc.constantFrom('X', 'xY') }) },
  {
    weight: 1,
    arbitrary: fc.record({ numeric: fc.constantFrom(['>', 1], ['=', 2], ['>=', 1, '<', 3], ['<', 2]) }),
  },
);

const pattern = fc.letrec<{ object: unknown; part: unknown }>((tie) => ({
  object: fc.dictionary(name, tie('part'), { minKeys: 1, maxKeys: 2 }),
  part: fc.oneof({ depthSize: 'small' }, fc.array(operator, { minLength: 1, maxLength: 2 }), tie('object')),
})).object;

export interface Drawn {
  readonly pattern: unknown;
  readonly event: unknown;
}

export function draw(count: number, seed: number): readonly Drawn[] {
  return fc.sample(fc.record({ pattern, event }), { numRuns: count, seed });
}
