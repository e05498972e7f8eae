import { z } from 'zod';
import { nameOf, withoutHash } from './synthesized.ts';
import type { Resource } from './synthesized.ts';

const oneOrMore = <S extends z.ZodType>(schema: S) =>
  z.union([z.array(schema), schema.transform((one) => [one])]);

const document = z.object({
  Statement: z.array(
    z.looseObject({
      Effect: z.string(),
      Action: oneOrMore(z.string()),
      Resource: z.union([z.array(z.unknown()), z.unknown().transform((one) => [one])]),
      Principal: z.unknown().optional(),
      Condition: z.unknown().optional(),
    }),
  ),
});

/** The statements of a policy, or of a key's. */
export function policyOf({ Properties }: Resource): z.output<typeof document>['Statement'] {
  return document.parse(Properties['PolicyDocument'] ?? Properties['KeyPolicy']).Statement;
}

/** Stands before a resource on which actions are denied. */
export const denied = 'denied: ';

/** What the role of a function may do, over all its policies: actions by resource, with the condition. */
export function grantsIn(
  resources: ReadonlyMap<string, Resource>,
  functionName: string,
): Record<string, string[]> {
  const [, one] = [...resources].find(([id]) => withoutHash(id) === functionName) ?? [];
  if (one === undefined) throw new Error(`the template has no ${functionName}`);
  const role = nameOf(one.Properties['Role']);
  const statements = [...resources.values()]
    .filter(({ Type }) => Type === 'AWS::IAM::Policy')
    .filter(({ Properties }) => z.array(z.unknown()).parse(Properties['Roles']).map(nameOf).includes(role))
    .flatMap(policyOf);
  const grants = new Map<string, Set<string>>();
  for (const { Effect, Action, Resource, Condition } of statements) {
    const prefix = Effect === 'Allow' ? '' : denied;
    for (const resource of Resource.map((one) => `${prefix}${nameOf(one)}${conditionOf(Condition)}`)) {
      grants.set(resource, new Set([...(grants.get(resource) ?? []), ...Action]));
    }
  }
  return Object.fromEntries([...grants].map(([resource, actions]) => [resource, [...actions].toSorted()]));
}

/** A value may be a reference to another resource. */
const conditionValue = z.union([z.string(), z.record(z.string(), z.unknown()).transform(nameOf)]);
const conditions = z.record(z.string(), z.record(z.string(), oneOrMore(conditionValue))).optional();

/** ` if key=value|value, key=value`; an operator other than StringEquals stands before its key. */
function conditionOf(condition: unknown): string {
  const parts = Object.entries(conditions.parse(condition) ?? {}).flatMap(([operator, keys]) =>
    Object.entries(keys).map(
      ([key, values]) => `${operator === 'StringEquals' ? '' : `${operator} `}${key}=${values.join('|')}`,
    ),
  );
  return parts.length === 0 ? '' : ` if ${parts.join(', ')}`;
}
