import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { isJsonObject } from './json.ts';

/** A field that differs between two things; `before` or `after` is absent where there is none. */
export const difference = z
  .strictObject({
    /** Path of the field, such as `policy.retry.multiplier`. */
    field: z.string(),
    before: z.unknown().optional(),
    after: z.unknown().optional(),
  })
  .meta({ id: 'Difference' });

export type Difference = z.output<typeof difference>;

/** The fields in which two things differ, in the order of `after`; a list is one value, and so is what is new. */
export function differences(before: unknown, after: unknown, field = ''): Difference[] {
  // Of two objects each field is compared by itself: to compare the whole first would do it once for each level above.
  if (!isJsonObject(before) || !isJsonObject(after)) {
    if (isDeepStrictEqual(before, after)) return [];
    return [
      {
        field,
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      },
    ];
  }
  const names = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  return names.flatMap((name) =>
    differences(before[name], after[name], field === '' ? name : `${field}.${name}`),
  );
}
