import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InvalidRequest } from '../../../lambdas/shared/errors.ts';
import { eventId } from '../../../lambdas/shared/identifier.ts';
import { cursorAt, pageQuery, positionOf } from '../../../lambdas/shared/page.ts';

const id = 'evt_01KBV5ZP00AAAAAAAAAAAAAAAA';
const position = z.tuple([eventId]);

describe('pageQuery', () => {
  it('lists 50 items when nobody says how many', () => {
    expect(pageQuery.parse({})).toEqual({ limit: 50 });
  });

  it.each([
    ['1', 1],
    ['250', 250],
  ])('takes limit=%s', (limit, expected) => {
    expect(pageQuery.parse({ limit })).toEqual({ limit: expected });
  });

  it.each(['', '0', '-1', '251', '1.5', 'ten', 'Infinity', 'NaN'])('refuses limit=%s', (limit) => {
    expect(pageQuery.safeParse({ limit }).success).toBe(false);
  });

  it('refuses an endless cursor', () => {
    expect(pageQuery.safeParse({ cursor: 'a'.repeat(1_025) }).success).toBe(false);
  });
});

describe('cursors', () => {
  it('a cursor is read back as it was given', () => {
    expect(positionOf(cursorAt([id]), position)).toEqual([id]);
  });

  it('a cursor stands in a URL as it is', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (texts) => {
        expect(cursorAt(texts)).toMatch(/^[\w-]*$/);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['what is no JSON', Buffer.from('{').toString('base64url')],
    ['another list’s', cursorAt([id, 'ep_01KBV5ZP00AAAAAAAAAAAAAAAA'])],
    ['one that names another partition', cursorAt(['ORG#other'])],
    ['one that names a key', cursorAt([`${id}#`])],
    ['an object', Buffer.from(JSON.stringify({ pk: 'ORG#other', sk: id })).toString('base64url')],
  ])('a made-up cursor is refused: %s', (_what, cursor) => {
    expect(() => positionOf(cursor, position)).toThrow(InvalidRequest);
    expect(() => positionOf(cursor, position)).toThrow(
      expect.objectContaining({ code: 'invalid_cursor', field: 'cursor' }) as Error,
    );
  });

  it('any text at all is read or refused, never our fault', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        try {
          positionOf(text, position);
        } catch (refusal) {
          expect(refusal).toBeInstanceOf(InvalidRequest);
        }
      }),
    );
  });
});
