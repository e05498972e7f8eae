import { expect, it } from 'vitest';
import { z } from 'zod';
import { grantsIn } from './grants.ts';
import { nameOf, withoutHash } from './synthesized.ts';
import { ofType, stack } from './the-stack.ts';

const environment = z.looseObject({
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }).optional(),
});
const told = ofType('AWS::Lambda::Function').flatMap(([id, { Properties }]) => {
  const busName = environment.parse(Properties).Environment?.Variables['BUS_NAME'];
  return busName === undefined ? [] : [{ name: withoutHash(id), busName: nameOf(busName) }];
});

// EventBridge answers with an id for a bus that is not there, and drops the event: no answer would tell.
it('every function that publishes is told the name of the stack’s own bus, and may put on that bus alone', () => {
  expect(told.length).toBeGreaterThan(3);
  expect(told.filter(({ busName }) => busName !== 'IngestBus')).toEqual([]);
  for (const { name } of told) {
    const puts = Object.entries(grantsIn(stack.resources, name)).filter(([, actions]) =>
      actions.includes('events:PutEvents'),
    );
    expect(puts.map(([resource]) => resource)).toEqual(['IngestBus']);
  }
});
