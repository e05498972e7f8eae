import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../../../lambdas/event/publication/fingerprint.ts';
import { parseJson } from '../../../../lambdas/shared/json.ts';

const type = 'pipeline.run.failed';
const of = (data: string, resource?: unknown) => fingerprintOf({ type, resource, data: parseJson(data) });

describe('the fingerprint of an event', () => {
  it.each([
    ['the order of fields', '{"a":1,"b":{"c":2,"d":3}}', '{"b":{"d":3,"c":2},"a":1}'],
    ['spaces', '{"a":[1,2]}', ' { "a" : [ 1 , 2 ] } '],
    ['how a text is written', '{"a":"ä/"}', '{"a":"\\u00e4\\/"}'],
    ['names that mean something in JavaScript', '{"__proto__":1,"a":2}', '{"a":2,"__proto__":1}'],
  ])('is the same whatever %s', (_what, one, other) => {
    expect(of(one)).toBe(of(other));
  });

  it.each([
    ['a number', '{"a":10}', '{"a":99}'],
    ['a digit that no double holds', '{"a":9007199254740993}', '{"a":9007199254740992}'],
    ['a text for a number', '{"a":1}', '{"a":"1"}'],
    ['an order of elements', '{"a":[1,2]}', '{"a":[2,1]}'],
    ['a field more', '{"a":1}', '{"a":1,"b":null}'],
    ['a field named __proto__', '{}', '{"__proto__":1}'],
  ])('is another for %s', (_what, one, other) => {
    expect(of(one)).not.toBe(of(other));
  });

  it('is another for another type or resource, and knows no field that says the same', () => {
    expect(of('{}', 'pipeline/42')).not.toBe(of('{}'));
    expect(fingerprintOf({ type: 'pipeline.run.started', resource: undefined, data: {} })).not.toBe(of('{}'));
    expect(of('{}', null)).toBe(of('{}'));
  });

  it('is the same after any JSON was read and written again, and there is one of whatever came', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(of(JSON.stringify(JSON.parse(text)))).toBe(of(JSON.stringify(JSON.parse(text), null, 2)));
      }),
    );
    expect(fingerprintOf({ type, resource: undefined, data: undefined })).toMatch(/^[\w-]{43}$/);
  });
});
