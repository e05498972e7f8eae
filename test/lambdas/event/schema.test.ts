import { describe, expect, it } from 'vitest';
import { judgeData } from '../../../lambdas/event/schema.ts';
import { parseJson } from '../../../lambdas/shared/json.ts';
import { growthMax, growthOf } from '../../fakes/growth.ts';
import { heapBytes } from '../../fakes/heap.ts';

const schema = {
  $id: 'https://acme.example/run',
  type: 'object',
  properties: {
    runId: { type: 'integer', minimum: 1 },
    endedAt: { type: 'string', format: 'date-time' },
    stage: { $ref: '#/$defs/stage' },
  },
  required: ['runId'],
  additionalProperties: false,
  $defs: { stage: { enum: ['dev', 'prod'] } },
};

/** Where data break the schema of their type. */
function schemaViolation(...given: Parameters<typeof judgeData>): string | undefined {
  const judgement = judgeData(...given);
  return judgement.kind === 'fits' ? undefined : judgement.sentence;
}

describe('data and the schema of their type', () => {
  it.each([
    ['as it says', '{"runId":77,"endedAt":"2026-11-24T10:00:00Z","stage":"prod"}'],
    ['with a number that a double cannot hold', '{"runId":12345678901234567890123}'],
  ])('agree: %s', (_what, data) => {
    expect(schemaViolation({ schema }, parseJson(data))).toBeUndefined();
  });

  it.each([
    [
      'a field of another type',
      '{"runId":"PLANTED"}',
      '#/properties/runId/type: must be of the type "integer"',
    ],
    ['a field that is missing', '{}', '#/required: the field "runId" is missing'],
    ['a time that is none', '{"runId":1,"endedAt":"PLANTED"}', '#/properties/endedAt/format'],
    ['none of the values', '{"runId":1,"stage":"PLANTED"}', '#/$defs/stage/enum'],
    [
      'a field that it does not know',
      '{"runId":1,"PLANTED":1}',
      'must have no field that the schema does not know',
    ],
  ])('disagree, which is said without quoting them: %s', (_what, data, said) => {
    const violation = schemaViolation({ schema }, parseJson(data));
    expect(violation).toContain(said);
    expect(violation).not.toContain('PLANTED');
  });

  it('without a schema nothing is broken', () => {
    expect(schemaViolation({}, { any: 'thing' })).toBeUndefined();
  });

  it('two versions of a schema with one $id are two schemas', () => {
    const later = { ...schema, required: ['runId', 'stage'] };
    expect(schemaViolation({ schema }, { runId: 1 })).toBeUndefined();
    expect(schemaViolation({ schema: later }, { runId: 1 })).toContain('stage');
    expect(schemaViolation({ schema: structuredClone(schema) }, { runId: 1 })).toBeUndefined();
  });
});

describe('data that nobody can judge', () => {
  const deep = (levels: number) => JSON.parse('{"a":'.repeat(levels) + '1' + '}'.repeat(levels)) as unknown;
  /** Each level asks twice for the one below, so the work doubles with each. */
  const branch = (name: string) => ({
    allOf: [{ properties: { a: { $ref: '#/$defs/node' } } }, { required: [name] }],
  });
  const doubling = { $defs: { node: { anyOf: [branch('x'), branch('y')] } }, $ref: '#/$defs/node' };

  it('take little time after the first of an organization, so that nobody waits long behind many of them', () => {
    const cost = (whose: string) => {
      const before = process.threadCpuUsage();
      expect(judgeData({ schema: doubling }, deep(60), whose).kind).toBe('not_judged');
      const { user, system } = process.threadCpuUsage(before);
      return user + system;
    };
    const first = cost('org_nine');
    const others = Array.from({ length: 9 }, () => cost('org_nine')).reduce((sum, one) => sum + one, 0);
    expect(others / first).toBeLessThan(3);
    // Another organization has its own time.
    expect(judgeData({ schema: doubling }, deep(8), 'org_ten').kind).not.toBe('not_judged');
  });

  it.each<[string, Record<string, unknown>, unknown]>([
    ['a schema that is a promise', { $async: true }, {}],
    ['a reference to itself', { $ref: '#' }, {}],
    ['references in a circle', { $defs: { a: { allOf: [{ $ref: '#' }] } }, $ref: '#/$defs/a' }, {}],
    ['the name of the draft', { $id: 'https://json-schema.org/draft/2020-12/schema' }, {}],
    ['a part that has the name of the whole', { $id: 'a', $defs: { b: { $id: 'a' } } }, {}],
    ['a reference to nowhere', { $ref: '#/$defs/none' }, {}],
    ['a pattern that is none', { properties: { a: { pattern: '(' } } }, {}],
    ['a keyword with a value that it does not take', { properties: 5 }, {}],
    ['alternatives that double with each level', doubling, deep(60)],
    [
      'a pattern that is no regular one, and backtracks',
      { properties: { a: { pattern: '^(?!x)([a-z]+)+$' } } },
      { a: `${'a'.repeat(60)}1` },
    ],
  ])('are told from others, and nothing is thrown: %s', (_what, schema, data) => {
    expect(judgeData({ schema }, data).kind).toBe('not_judged');
    // Whoever comes next is judged as if nothing had been.
    expect(
      judgeData({ schema: { type: 'object', properties: { a: { pattern: '^b' } } } }, { a: 'a' }).kind,
    ).toBe('breaks');
    expect(judgeData({ schema: doubling }, deep(2)).kind).toBe('breaks');
  });
});

describe('the time that judging takes', () => {
  it.each<[string, Record<string, unknown>, (size: number) => unknown]>([
    ['a pattern', { pattern: '^([a-z]+)+$' }, (size) => `${'a'.repeat(size)}1`],
    [
      'items that must be unique',
      { uniqueItems: true },
      (size) => Array.from({ length: size }, (_, index) => ({ index, of: { size } })),
    ],
    [
      'a tree',
      { type: ['array', 'number'], items: { $ref: '#/properties/a' } },
      (size) => Array.from({ length: size }, () => [[1]]),
    ],
    [
      'many names',
      { additionalProperties: { type: 'number' } },
      (size) => Object.fromEntries(Array(size).entries()),
    ],
  ])('grows no faster than the data: %s', (_what, a, dataOf) => {
    const growth = growthOf((size) => {
      const data = { a: dataOf(size) };
      return () => judgeData({ schema: { properties: { a } } }, data);
    }, 1_000);
    expect(growth).toBeLessThan(growthMax);
  });

  it.each([
    [
      'the same',
      [
        { a: 1, b: [2] },
        { b: [2], a: 1 },
      ],
      'breaks',
    ],
    ['the same numbers', [1, 1.0], 'breaks'],
    [
      'another order in a list',
      [
        [1, 2],
        [2, 1],
      ],
      'fits',
    ],
    ['other types', [1, '1', [1], true, null, { fields: [] }, {}], 'fits'],
  ])('items are unique as the draft has it: %s', (_what, a, kind) => {
    expect(judgeData({ schema: { properties: { a: { uniqueItems: true } } } }, { a }).kind).toBe(kind);
    expect(judgeData({ schema: { properties: { a: { uniqueItems: false } } } }, { a }).kind).toBe('fits');
  });
});

describe('compiled schemas', () => {
  /** Some 2 KB, told from others by its title. */
  const largeSchema = (title: string) => ({
    title,
    type: 'object',
    properties: Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`field${index}`, { type: 'string', pattern: `^${index}` }]),
    ),
  });

  it('of a catalogue that is read again and again take their memory once', () => {
    const text = JSON.stringify(largeSchema('read again'));
    schemaViolation({ schema: JSON.parse(text) as Record<string, unknown> }, {});
    const before = heapBytes();
    for (let reads = 0; reads < 2_000; reads += 1)
      schemaViolation({ schema: JSON.parse(text) as Record<string, unknown> }, {});
    expect(heapBytes() - before).toBeLessThan(2 ** 20);
  });

  it('take no more than sixteen bytes for each of theirs', () => {
    const texts = Array.from({ length: 100 }, (_, index) => JSON.stringify(largeSchema(`number ${index}`)));
    const before = heapBytes();
    for (const text of texts) schemaViolation({ schema: JSON.parse(text) as Record<string, unknown> }, {});
    expect(heapBytes() - before).toBeLessThan(16 * texts.join('').length);
  });
});
