import { expect } from 'vitest';
import { z } from 'zod';
import { nameOf, synthesized, withoutHash } from './synthesized.ts';
import type { Resource } from './synthesized.ts';

/** The stack as it is without any setting. */
export const stack = synthesized();
const { resources } = stack;

/** Resources of a type, by their logical ids. */
export function ofType(type: string): [string, Resource][] {
  return [...resources].filter(([, resource]) => resource.Type === type);
}

/** A resource by its logical id, without the hash. */
export function named(name: string): Resource {
  const [, found] = [...resources].find(([id]) => withoutHash(id) === name) ?? [];
  if (found === undefined) throw new Error(`the template has no ${name}`);
  return found;
}

/** A queue that calls a function. */
interface Mapping {
  readonly mapping: Resource;
  readonly from: string;
  readonly to: string;
  readonly queue: Resource;
  readonly handler: Resource;
}

/** Event source mappings, by the names of their queues. */
export function mappings(): [string, Mapping][] {
  return ofType('AWS::Lambda::EventSourceMapping').map(([, mapping]) => {
    const from = nameOf(mapping.Properties['EventSourceArn']);
    const to = nameOf(mapping.Properties['FunctionName']);
    return [from, { mapping, from, to, queue: named(from), handler: named(to) }];
  });
}

/** Whose tokens the API takes. */
export function tokensOf(all: ReadonlyMap<string, Resource>): { issuer: string; audience: string[] } {
  const [authorizer, ...others] = [...all.values()].filter(
    ({ Type }) => Type === 'AWS::ApiGatewayV2::Authorizer',
  );
  expect(others).toEqual([]);
  const { JwtConfiguration } = z
    .looseObject({ JwtConfiguration: z.object({ Issuer: z.unknown(), Audience: z.array(z.unknown()) }) })
    .parse(authorizer?.Properties);
  return { issuer: nameOf(JwtConfiguration.Issuer), audience: JwtConfiguration.Audience.map(nameOf) };
}
