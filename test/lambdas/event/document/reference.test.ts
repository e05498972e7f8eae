import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { below, extract, placed } from '../../../../lambdas/event/document/reference.ts';

/** Schemas with references to themselves, in keywords that hold schemas and in those that only look like it. */
const { schema } = fc.letrec<{ schema: object; branch: object; reference: string }>((tie) => ({
  reference: fc.constantFrom(
    '#',
    '#/$defs/a',
    '#/properties/b%20c',
    '#anchor',
    'https://example.com/s#/a',
    'other',
  ),
  schema: fc.oneof({ maxDepth: 3 }, fc.constant({ title: 'leaf' }), tie('branch')),
  branch: fc.record(
    {
      $ref: tie('reference'),
      type: fc.constantFrom('object', 'string'),
      properties: fc.dictionary(fc.constantFrom('$ref', 'const', 'b c', 'x'), tie('schema'), { maxKeys: 2 }),
      $defs: fc.dictionary(fc.constantFrom('a', '__proto__'), tie('schema'), { maxKeys: 2 }),
      items: tie('schema'),
      anyOf: fc.array(tie('schema'), { maxLength: 2 }),
      const: fc.record({ $ref: tie('reference') }),
      examples: fc.array(fc.record({ $ref: tie('reference') }), { maxLength: 1 }),
      $id: fc.constant('https://example.com/own'),
    },
    { requiredKeys: [] },
  ),
}));

describe('a schema in a document', () => {
  it('comes out as it went in, wherever it stands', () => {
    fc.assert(
      fc.property(schema, fc.constantFrom('a.b', 'x/y', 'm~n', 'allOf'), (one, name) => {
        const place = below({ pointer: '', value: {} }, 'parts', name);
        // A reference to nothing is refused: here all lead somewhere.
        const complete = { ...one, properties: { 'b c': {} }, $defs: { a: {} } };
        const document = { parts: { [name]: placed(complete, place.pointer) } };
        expect(extract(document, below({ pointer: '', value: document }, 'parts', name))).toEqual(complete);
      }),
      { numRuns: 500 },
    );
  });

  it('brings along what has the same name elsewhere under another name', () => {
    const document = {
      root: { allOf: [{ $ref: '#/one/thing' }, { $ref: '#/other/thing' }, { $ref: '#/$defs/thing' }] },
      one: { thing: { title: 'one', not: { $ref: '#/root' } } },
      other: { thing: { title: 'other', not: { $ref: '#/one/thing' } } },
      $defs: { thing: { title: 'third' } },
    };
    expect(extract(document, below({ pointer: '', value: document }, 'root'))).toEqual({
      allOf: [{ $ref: '#/$defs/thing' }, { $ref: '#/$defs/thing_2' }, { $ref: '#/$defs/thing_3' }],
      $defs: {
        thing: { title: 'one', not: { $ref: '#' } },
        thing_2: { title: 'other', not: { $ref: '#/$defs/thing' } },
        thing_3: { title: 'third' },
      },
    });
  });
});
