import { describe, expect, it } from 'vitest';
import { schemaViolation } from '../../../lambdas/event/schema.ts';
import { parseJson } from '../../../lambdas/shared/json.ts';
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

describe('data and the schema of their type', () => {
  it.each([
    ['as it says', '{"runId":77,"endedAt":"2026-11-24T10:00:00Z","stage":"prod"}'],
    ['with a number that a double cannot hold', '{"runId":12345678901234567890123}'],
  ])('agree: %s', (_what, data) => {
    expect(schemaViolation({ schema }, parseJson(data))).toBeUndefined();
  });

  it.each([
    ['a field of another type', '{"runId":"PLANTED"}', '#/properties/runId/type: must be integer'],
    ['a field that is missing', '{}', "#/required: must have required property 'runId'"],
    ['a time that is none', '{"runId":1,"endedAt":"PLANTED"}', '#/properties/endedAt/format'],
    ['none of the values', '{"runId":1,"stage":"PLANTED"}', '#/$defs/stage/enum'],
    ['a field that it does not know', '{"runId":1,"PLANTED":1}', 'must NOT have additional properties'],
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

  it('take no more than eight bytes for each of theirs', () => {
    const texts = Array.from({ length: 100 }, (_, index) => JSON.stringify(largeSchema(`number ${index}`)));
    const before = heapBytes();
    for (const text of texts) schemaViolation({ schema: JSON.parse(text) as Record<string, unknown> }, {});
    expect(heapBytes() - before).toBeLessThan(8 * texts.join('').length);
  });
});
