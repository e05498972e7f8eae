import { z } from 'zod';

const resource = z.strictObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.union([z.string().transform((one) => [one]), z.array(z.string())]).default([]),
  Metadata: z.unknown().optional(),
  UpdateReplacePolicy: z.string().optional(),
  DeletionPolicy: z.string().optional(),
});

/** Only what occurs in our template: a `Conditions` or `Mappings` section is refused here, by name. */
const template = z.strictObject({
  Description: z.string().optional(),
  Resources: z.record(z.string(), resource),
  Outputs: z
    .record(z.string(), z.strictObject({ Value: z.unknown(), Description: z.string().optional() }))
    .default({}),
  // Both come from the bootstrap check of `cdk deploy`, and have no meaning before a deployment.
  Parameters: z.unknown().optional(),
  Rules: z.unknown().optional(),
});

export type Template = z.output<typeof template>;
export type Resource = z.output<typeof resource>;

/**
 * @throws Error naming each section or resource attribute that the local runtime does not know.
 */
export function parseTemplate(json: unknown): Template {
  const parsed = template.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new Error(
    `The template holds what the local runtime does not know.\n${z.prettifyError(parsed.error)}`,
  );
}

/** What a template may refer to: the outside (`AWS::Region`) and what was created. Both throw on the unknown. */
export interface Scope {
  readonly ref: (name: string) => string;
  readonly attribute: (logicalId: string, name: string) => string;
}

/**
 * Replaces every intrinsic function in a value of the template by what it stands for.
 *
 * @throws Error on an intrinsic that is not known here: better no stack than a wrong one.
 */
export function resolve(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, scope));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && isIntrinsic(first[0])) {
    return resolveIntrinsic(first[0], first[1], scope);
  }
  return Object.fromEntries(entries.map(([key, item]) => [key, resolve(item, scope)]));
}

/** Logical ids (and pseudo parameters) that a value refers to: what must exist before it can be resolved. */
export function references(value: unknown): readonly string[] {
  const found = new Set<string>();
  const note = (name: string) => {
    found.add(name);
    return '';
  };
  // Selecting from a split of nothing would fail, so the walk does not evaluate: it only looks.
  look(value, { ref: note, attribute: note });
  return [...found];
}

function look(value: unknown, scope: Scope): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    if (key === 'Ref' || key === 'Fn::GetAtt') resolveIntrinsic(key, item, scope);
    if (key === 'Fn::Sub') substitute(typeof item === 'string' ? [item, {}] : item, scope);
    look(item, scope);
  }
}

function isIntrinsic(key: string): boolean {
  return key === 'Ref' || key === 'Condition' || key.startsWith('Fn::');
}

const attributePath = z.union([
  z.tuple([z.string(), z.string()]),
  z.string().transform((path): [string, string] => {
    const dot = path.indexOf('.');
    return [path.slice(0, dot), path.slice(dot + 1)];
  }),
]);
const strings = z.array(z.string());

function resolveIntrinsic(name: string, argument: unknown, scope: Scope): unknown {
  switch (name) {
    case 'Ref':
      return scope.ref(z.string().parse(argument));
    case 'Fn::GetAtt':
      return scope.attribute(...attributePath.parse(argument));
    case 'Fn::Sub':
      return substitute(typeof argument === 'string' ? [argument, {}] : argument, scope);
    case 'Fn::Join': {
      const [separator, parts] = z.tuple([z.string(), strings]).parse(resolve(argument, scope));
      return parts.join(separator);
    }
    case 'Fn::Split': {
      const [separator, text] = z.tuple([z.string(), z.string()]).parse(resolve(argument, scope));
      return text.split(separator);
    }
    case 'Fn::Select': {
      const [index, items] = z.tuple([z.coerce.number().int(), strings]).parse(resolve(argument, scope));
      const item = items[index];
      if (item === undefined) throw new Error(`Fn::Select: there is no item ${index} of ${items.length}`);
      return item;
    }
    case 'Fn::GetAZs':
      return ['a', 'b', 'c'].map((zone) => `${scope.ref('AWS::Region')}${zone}`);
    default:
      throw new Error(`The local runtime does not know the intrinsic ${name}`);
  }
}

/** `${Name}`, `${Resource.Attribute}` and `${Own}` from the map; `${!Literal}` stays as it is, without the mark. */
function substitute(argument: unknown, scope: Scope): string {
  const [text, own] = z.tuple([z.string(), z.record(z.string(), z.unknown())]).parse(argument);
  return text.replaceAll(/\$\{([^}]+)\}/g, (_whole, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    if (name in own) return z.string().parse(resolve(own[name], scope));
    if (!name.includes('.')) return scope.ref(name);
    return scope.attribute(...attributePath.parse(name));
  });
}
