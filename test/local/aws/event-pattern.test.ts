import { describe, expect, test } from 'vitest';

import { eventMatcher } from '../../../local/aws/event-pattern.ts';

const event = {
  source: 'acme.pipelines',
  'detail-type': 'pipeline.run.failed',
  resources: ['arn:a', 'arn:b'],
  detail: {
    organizationId: 'org_1',
    count: 3,
    isLate: true,
    nothing: null,
    tags: [],
    steps: [{ name: 'a', ms: 5 }],
  },
};

describe('an event pattern', () => {
  test.each<[string, object, boolean]>([
    ['an exact value', { source: ['acme.pipelines'] }, true],
    ['another value', { source: ['acme'] }, false],
    ['one of several values', { source: ['other', 'acme.pipelines'] }, true],
    ['a value and another field', { source: ['acme.pipelines'], 'detail-type': ['other'] }, false],
    ['a number, not its text', { detail: { count: ['3'] } }, false],
    ['a number', { detail: { count: [3] } }, true],
    ['a boolean', { detail: { isLate: [true] } }, true],
    ['null', { detail: { nothing: [null] } }, true],
    ['null where there is nothing', { detail: { missing: [null] } }, false],
    ['an element of an array', { resources: ['arn:b'] }, true],
    ['no element of an array', { resources: ['arn:c'] }, false],
    ['a field of an object in an array', { detail: { steps: { name: ['a'], ms: [5] } } }, true],
    ['a prefix', { source: [{ prefix: 'acme.' }] }, true],
    ['a prefix that is none', { source: [{ prefix: 'pipelines' }] }, false],
    ['a prefix of a number', { detail: { count: [{ prefix: '3' }] } }, false],
    ['a suffix', { 'detail-type': [{ suffix: '.failed' }] }, true],
    ['the value in other letters', { source: [{ 'equals-ignore-case': 'ACME.Pipelines' }] }, true],
    ['anything but another value', { source: [{ 'anything-but': 'tidings' }] }, true],
    ['anything but the value', { source: [{ 'anything-but': ['tidings', 'acme.pipelines'] }] }, false],
    ['anything but a prefix', { source: [{ 'anything-but': { prefix: 'acme' } }] }, false],
    ['anything but another prefix', { source: [{ 'anything-but': { prefix: 'tidings' } }] }, true],
    [
      'anything but a value where there is nothing',
      { detail: { missing: [{ 'anything-but': 'x' }] } },
      false,
    ],
    ['something that is there', { detail: { organizationId: [{ exists: true }] } }, true],
    ['something that is not there', { detail: { missing: [{ exists: true }] } }, false],
    ['the absence of what is not there', { detail: { missing: [{ exists: false }] } }, true],
    ['the absence of what is there', { detail: { count: [{ exists: false }] } }, false],
    ['the absence of a field of a missing object', { absent: { field: [{ exists: false }] } }, true],
    ['a field of what is no object', { source: { field: ['x'] } }, false],
    ['a number in a range', { detail: { count: [{ numeric: ['>', 0, '<=', 3] }] } }, true],
    ['a number out of a range', { detail: { count: [{ numeric: ['<', 3] }] } }, false],
    ['a number equal to another', { detail: { count: [{ numeric: ['=', 3] }] } }, true],
  ])('asking for %s is answered rightly', (_name, pattern, isMatch) => {
    expect(eventMatcher(pattern)(event)).toBe(isMatch);
  });

  test.each<[string, unknown]>([
    ['an unknown operator', { source: [{ wildcard: 'acme.*' }] }],
    ['$or', { $or: [{ source: ['a'] }] }],
    ['two operators in one', { source: [{ prefix: 'a', suffix: 'b' }] }],
    ['a bare value', { source: 'acme' }],
    ['an empty array', { source: [] }],
    ['an empty object', { detail: {} }],
    ['a prefix that is no text', { source: [{ prefix: 3 }] }],
    ['an odd comparison', { detail: { count: [{ numeric: ['!=', 3] }] } }],
    ['half a comparison', { detail: { count: [{ numeric: ['>', 0, '<'] }] } }],
    ['anything but a suffix', { source: [{ 'anything-but': { suffix: 'x' } }] }],
    ['no object', 'source'],
  ])('with %s is refused when it is made', (_name, pattern) => {
    expect(() => eventMatcher(pattern)).toThrow('Event pattern is not valid');
  });
});
