import { describe, expect, it } from 'vitest';
import { parseTemplate, references, resolve } from '../../local/template.ts';

const scope = {
  ref: (name: string) => (name === 'AWS::Region' ? 'us-east-1' : `ref-${name}`),
  attribute: (id: string, name: string) => `${id}/${name}`,
};

describe('resolve', () => {
  it.each([
    ['a reference', { Ref: 'Queue' }, 'ref-Queue'],
    ['an attribute', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'Queue/Arn'],
    ['an attribute as a path', { 'Fn::GetAtt': 'Queue.Nested.Arn' }, 'Queue/Nested.Arn'],
    ['a join', { 'Fn::Join': ['-', ['a', { Ref: 'B' }]] }, 'a-ref-B'],
    ['a substitution', { 'Fn::Sub': '${AWS::Region}/${Queue.Arn}/${!Kept}' }, 'us-east-1/Queue/Arn/${Kept}'],
    ['a substitution of its own', { 'Fn::Sub': ['${A}', { A: { Ref: 'B' } }] }, 'ref-B'],
    ['a selection', { 'Fn::Select': ['1', { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
    ['values inside values', { A: [{ B: { Ref: 'C' } }, 1, null] }, { A: [{ B: 'ref-C' }, 1, null] }],
  ])('replaces %s', (_what, value, expected) => {
    expect(resolve(value, scope)).toEqual(expected);
  });

  it('refuses an intrinsic that it does not know', () => {
    expect(() => resolve({ 'Fn::ImportValue': 'x' }, scope)).toThrow('Fn::ImportValue');
  });

  it('refuses to select what is not there', () => {
    expect(() => resolve({ 'Fn::Select': [3, ['a']] }, scope)).toThrow('there is no item 3');
  });
});

it('finds what a value refers to, in every form', () => {
  const value = {
    A: { Ref: 'One' },
    B: [{ 'Fn::GetAtt': ['Two', 'Arn'] }],
    C: { 'Fn::Sub': ['${Three.Arn} ${Own}', { Own: { Ref: 'Four' } }] },
  };
  expect(references(value).toSorted()).toEqual(['Four', 'One', 'Three', 'Two']);
});

it.each([
  ['a section', { Resources: {}, Conditions: {} }, 'Conditions'],
  ['an attribute of a resource', { Resources: { A: { Type: 'T', Condition: 'C' } } }, 'Condition'],
])('a template with %s that is not known is refused by name', (_what, template, name) => {
  expect(() => parseTemplate(template)).toThrow(name);
});
