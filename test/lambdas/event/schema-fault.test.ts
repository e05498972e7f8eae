import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { refuseBrokenSchema } from '../../../lambdas/event/refuse-schema.ts';
import { wishOf } from '../../../lambdas/event/schema-fault.ts';
import { judgeData } from '../../../lambdas/event/schema.ts';

/** What may have the date that it has. */
const date = (limit: object) => ({ format: 'date', ...limit });

const ofKind = (kind: string, field: string) => ({
  type: 'object',
  properties: { kind: { const: kind }, [field]: { type: 'string' } },
  required: ['kind'],
});

const begun = 'data break the schema of the event type at ';

describe('what breaks a schema is said in words of ours', () => {
  it.each<[object, unknown, string]>([
    [{ type: ['string', 'null'] }, 5, '#/type: must be of the type "string", "null"'],
    [{ required: ['a'] }, {}, '#/required: the field "a" is missing'],
    [{ enum: ['a', 1] }, 'PLANTED', '#/enum: must be one of "a", 1'],
    [{ const: 'a' }, 'PLANTED', '#/const: must be "a"'],
    [{ multipleOf: 2 }, 3, '#/multipleOf: must be a multiple of 2'],
    [{ maximum: 2 }, 3, '#/maximum: must be at most 2'],
    [{ minimum: 2 }, 1, '#/minimum: must be at least 2'],
    [{ exclusiveMinimum: 2 }, 2, '#/exclusiveMinimum: must be more than 2'],
    [{ exclusiveMaximum: 2 }, 2, '#/exclusiveMaximum: must be less than 2'],
    [{ minLength: 9 }, 'PLANTED', '#/minLength: must have at least 9 characters'],
    [{ maxLength: 2 }, 'PLANTED', '#/maxLength: must have at most 2 characters'],
    [{ minItems: 2 }, [], '#/minItems: must have at least 2 items'],
    [{ maxItems: 0 }, ['PLANTED'], '#/maxItems: must have at most 0 items'],
    [{ minProperties: 1 }, {}, '#/minProperties: must have at least 1 fields'],
    [{ maxProperties: 0 }, { PLANTED: 1 }, '#/maxProperties: must have at most 0 fields'],
    [{ prefixItems: [{}], items: false }, [1, 'PLANTED'], '#/items: must have at most 1 items'],
    [{ unevaluatedItems: false }, ['PLANTED'], '#/unevaluatedItems: must have no items that'],
    [{ uniqueItems: true }, ['PLANTED', 'PLANTED'], '#/uniqueItems: must not have the same item twice'],
    [{ contains: { type: 'null' } }, [], '#/contains: must have 1 or more such items'],
    [{ contains: { type: 'null' }, maxContains: 0, minContains: 0 }, [null], 'must have 0 to 0 such items'],
    [{ pattern: '^a' }, 'PLANTED', '#/pattern: must match the pattern "^a"'],
    [{ format: 'date-time' }, 'PLANTED', '#/format: must have the format "date-time"'],
    [{ additionalProperties: false }, { PLANTED: 1 }, 'must have no field that the schema does not know'],
    [{ unevaluatedProperties: false }, { PLANTED: 1 }, 'must have no field that the schema does not know'],
    [{ dependentRequired: { a: ['b'] } }, { a: 1 }, 'the field "b" is missing, which "a" asks for'],
    [{ propertyNames: false }, { PLANTED: 1 }, 'must not be there'],
    [{ dependencies: { a: ['b', 'c'] } }, { a: 1, b: 1 }, 'the field "c" is missing, which "a" asks for'],
    [{ dependencies: { a: { required: ['b'] } } }, { a: 1 }, '#/dependencies/a/required: the field "b"'],
    [{ dependentSchemas: { a: { required: ['b'] } } }, { a: 1 }, '#/dependentSchemas/a/required: the field'],
    [date({ formatMinimum: '2026-01-01' }), '2025-12-31', '#/formatMinimum: must be at least "2026-01-01"'],
    [date({ formatMaximum: '2026-01-01' }), '2026-01-02', '#/formatMaximum: must be at most "2026-01-01"'],
    [date({ formatExclusiveMinimum: '2026-01-01' }), '2026-01-01', 'must be more than "2026-01-01"'],
    [date({ formatExclusiveMaximum: '2026-01-01' }), '2026-01-01', 'must be less than "2026-01-01"'],
    [{ contains: { type: 'null' } }, ['PLANTED'], '#/contains: must have 1 or more such items'],
    [{ if: true, then: { required: ['a'] } }, {}, '#/then/required: the field "a" is missing'],
    [{ if: false, else: { required: ['a'] } }, {}, '#/else/required: the field "a" is missing'],
    [{ if: true, then: false }, 1, '#/then/false schema: must not be there'],
    [{ propertyNames: { pattern: '^a' } }, { PLANTED: 1 }, '#/propertyNames/pattern: must match the pattern'],
    [{ patternProperties: { '^P': { type: 'null' } } }, { PLANTED: 1 }, 'must be of the type "null"'],
    [{ allOf: [{}, { minimum: 2 }] }, 1, '#/allOf/1/minimum: must be at least 2'],
    [
      { oneOf: [true, true] },
      1,
      '#/oneOf: must fit exactly one of its 2 alternatives, and fits #/oneOf/0 and',
    ],
    [
      { oneOf: [false, true, true] },
      1,
      'exactly one of its 3 alternatives, and fits #/oneOf/1 and #/oneOf/2',
    ],
    [
      { oneOf: [{ type: 'null' }, { type: 'array' }] },
      1,
      '#/oneOf: must fit one of its 2 alternatives, and fits none',
    ],
    [
      { anyOf: [{ minimum: 2 }, { multipleOf: 2 }] },
      1,
      '#/anyOf: must fit one of its 2 alternatives, and fits none',
    ],
    [
      { anyOf: [{ type: 'null' }, { type: 'object', required: ['a'] }] },
      {},
      'and fits none; what the nearest wants stands at #/anyOf/1/required: the field "a" is missing',
    ],
    [
      { oneOf: [ofKind('card', 'number'), ofKind('iban', 'iban')] },
      { kind: 'iban', iban: 5 },
      '#/oneOf: must fit one of its 2 alternatives, and fits none; what the nearest wants stands at #/oneOf/1/properties/iban/type: must be of the type "string"',
    ],
    [
      { oneOf: [ofKind('card', 'number'), ofKind('iban', 'iban')] },
      { kind: 'PLANTED' },
      '#/oneOf: must fit one of its 2 alternatives, and fits none',
    ],
    [
      {
        $defs: { a: { oneOf: [{ type: 'null' }, { type: 'array' }] } },
        properties: { b: { $ref: '#/$defs/a' } },
      },
      { b: 'PLANTED' },
      '#/$defs/a/oneOf: must fit one of its 2 alternatives, and fits none',
    ],
    [{ anyOf: [false] }, 1, '#/anyOf/0/false schema: must not be there'],
    [{ not: {} }, 1, '#/not: must not be like that'],
    [{ properties: { a: false } }, { a: 'PLANTED' }, '#/properties/a/false schema: must not be there'],
  ])('%j, %j', (schema, data, said) => {
    const judgement = judgeData({ schema: schema as Record<string, unknown> }, data);
    if (judgement.kind !== 'breaks') throw new Error(`it ${judgement.kind}`);
    expect(judgement.sentence).toContain(begun);
    expect(judgement.sentence).toContain(said);
    expect(judgement.sentence).not.toContain('PLANTED');
    // Ajv's own.
    expect(judgement.sentence).not.toMatch(/must NOT|must have required|must be equal|must match format/);
  });

  it('whatever keyword can be broken', () => {
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    const sayNothing = new Set(
      (
        '$dynamicAnchor $dynamicRef $recursiveAnchor $recursiveRef $comment id $ref nullable allOf then else ' +
        'properties patternProperties prefixItems dependentSchemas maxContains minContains'
      ).split(' '),
    );
    const known = Object.keys(ajv.RULES.all).filter((keyword) => !sayNothing.has(keyword));
    expect(known).toContain('formatMinimum');
    expect(
      known.filter((keyword) => wishOf({ keyword, params: {} }) === 'must be as the schema says'),
    ).toEqual([]);
  });

  it('is said shortly, however much the schema lists', () => {
    const values = Array.from({ length: 1_000 }, (_, index) => `value ${String(index)}`);
    const judgement = judgeData({ schema: { enum: values } }, 1);
    expect(judgement).toMatchObject({ kind: 'breaks' });
    if (judgement.kind === 'breaks') expect(judgement.sentence.length).toBeLessThan(320);
  });
});

describe('what is no schema is said in words of ours', () => {
  const no = 'This is no JSON Schema of draft 2020-12';
  it.each<[object, string]>([
    [{ type: 'money' }, `${no}: #/type must be one of "array", "boolean"`],
    [{ properties: { a: { minLength: -1 } } }, `${no}: #/properties/a/minLength must be at least 0.`],
    [{ properties: { a: { pattern: '(' } } }, 'A pattern is no regular expression (ECMA-262, flag u).'],
    [{ required: 'a' }, `${no}: #/required must be of the type "array".`],
    [{ $schema: 'http://json-schema.org/draft-07/schema#' }, 'only 2020-12 is known'],
    [{ id: 'https://example.com/a' }, 'write $id'],
    [{ $defs: { a: { $anchor: 'x' }, b: { $anchor: 'x', type: 'null' } } }, 'the same $id or $anchor'],
    [{ $ref: 'https://example.com/other' }, 'A $ref leads out of the schema.'],
    [{ $ref: '#/$defs/nope' }, 'A $ref leads to nothing in the schema'],
    [{ properties: { a: { $ref: '#nope' } } }, 'A $ref leads to nothing in the schema'],
    [{ $id: 'https://example.com/a', $ref: '#/$defs/nope' }, 'A $ref leads to nothing in the schema'],
    [{ $dynamicRef: '#x' }, 'A $dynamicRef leads to no $dynamicAnchor'],
    [{ properties: { a: { $dynamicRef: '#x' } } }, 'A $dynamicRef leads to no $dynamicAnchor'],
    [{ const: 1, enum: [] }, 'An enum is empty: list what the value may be.'],
    [{ formatMinimum: '2026-01-01' }, 'The keyword formatMinimum has no meaning there'],
    [{ type: 'string', format: 'date', formatMinimum: 5 }, 'The keyword formatMinimum has no meaning there'],
  ])('%j', (schema, said) => {
    const definition = { category: 'governance', description: 'x', schema } as const;
    let sentence = '';
    try {
      refuseBrokenSchema(definition as Parameters<typeof refuseBrokenSchema>[0]);
    } catch (fault) {
      sentence = (fault as Error).message;
    }
    expect(sentence).toContain(said);
    expect(sentence).not.toMatch(/no schema with key|resolves to|NOT SUPPORTED|schema is invalid/);
  });
});
