import { expect, test } from 'vitest';
import { z } from 'zod';
import { soundOf } from '../../../lambdas/shared/sound.ts';

const schema = z.strictObject({
  url: z.string(),
  active: z.boolean().default(true),
  note: z.string().nullable().exactOptional(),
  policy: z.strictObject({ tries: z.number(), waits: z.number() }).exactOptional(),
  entries: z
    .array(z.strictObject({ name: z.string(), value: z.string() }))
    .max(2)
    .default([]),
});

test.each<[string, unknown, unknown]>([
  ['a field beside a wrong one is left', { url: 5, note: 'n' }, { active: true, note: 'n', entries: [] }],
  [
    'of an object in a field nothing is left when a part is wrong',
    { policy: { tries: 1 } },
    { active: true, entries: [] },
  ],
  [
    'of entries the sound fields are left, each in its place',
    { entries: [5, { name: 'a', value: 5 }] },
    { active: true, entries: [undefined, { name: 'a' }] },
  ],
  ['of a list that is too long nothing is left', { entries: [5, 6, 7] }, { active: true }],
  ['an unknown field is not there', { url: 'u', surprise: 1 }, { url: 'u', active: true, entries: [] }],
  ['of what is no object nothing is left', [], undefined],
])('%s', (_what, value, left) => {
  expect(soundOf(schema, value)).toEqual(left);
});
