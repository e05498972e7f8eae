import { describe, expect, it } from 'vitest';
import { refuseBrokenSchema } from '../../../lambdas/event/refuse-schema.ts';
import { judgeData } from '../../../lambdas/event/schema.ts';

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
    [{ oneOf: [true, true] }, 1, '#/oneOf: must fit exactly one of the alternatives'],
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
