import { z } from 'zod';
import { InvalidRequest } from './errors.ts';

/** What every list takes: at most `limit` items, from where the last page ended. */
export const pageQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(250)
    .default(50)
    .describe('How many there may be on a page; a filtered page may be shorter, and have a next one.'),
  cursor: z
    .string()
    .max(1_024)
    .describe('Where to go on: `nextCursor` of the page before, of the same list with the same filters.')
    .optional(),
});

export type PageQuery = z.output<typeof pageQuery>;

/** Whether the query is one of a list, which goes on by `cursor`. */
export function isList(query: z.ZodType): boolean {
  return query instanceof z.ZodObject && 'cursor' in query.shape;
}

export interface Page<Item> {
  readonly data: readonly Item[];
  /** Give it back as `cursor` for the next page; `null` on the last one. */
  readonly nextCursor: string | null;
}

/** The shape of a page, for the description of answers. */
export function pageOf<S extends z.ZodType>(item: S) {
  return z.strictObject({ data: z.array(item), nextCursor: z.string().nullable() });
}

/** A page as a text, such as lines of JSON. Where it goes on is said by the header `Link` (RFC 8288). */
export class TextPage {
  public readonly text: string;
  public readonly nextCursor: string | null;

  public constructor(text: string, nextCursor: string | null) {
    this.text = text;
    this.nextCursor = nextCursor;
  }
}

/**
 * A cursor names only the last item of its page, by its own id. The partition always comes from the path,
 * so a cursor that somebody made up can never reach into another organization; the API seals it besides.
 */
export function cursorAt(position: readonly string[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/**
 * Reads a cursor back.
 *
 * @throws InvalidRequest `invalid_cursor` when the cursor is not one of this list's.
 */
export function positionOf<S extends z.ZodType>(cursor: string, position: S): z.output<S> {
  const parsed = position.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString()));
  if (parsed.success) return parsed.data;
  throw new InvalidRequest('invalid_cursor', 'Give back nextCursor of the same list, unchanged.', 'cursor');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
