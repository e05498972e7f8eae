import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { TidingsStack } from '../../lib/tidings-stack.ts';

const resource = z.looseObject({
  Type: z.string(),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});
export type Resource = z.output<typeof resource>;

export interface Synthesized {
  readonly template: Template;
  readonly resources: ReadonlyMap<string, Resource>;
  /** Everything at once, for what must stand nowhere. */
  readonly text: string;
}

const { context: cdkJsonContext } = z
  .object({ context: z.record(z.string(), z.unknown()) })
  .parse(JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8')));

const made = new Map<string, Synthesized>();

/**
 * The stack with some settings, in process and without bundles: what is in them is no matter of the template. The same
 * settings are synthesized once, as it takes a second; nobody changes what is synthesized.
 */
export function synthesized(settings: Readonly<Record<string, unknown>> = {}): Synthesized {
  const key = JSON.stringify(settings);
  const one = made.get(key) ?? synthesize(settings);
  made.set(key, one);
  return one;
}

function synthesize(settings: Readonly<Record<string, unknown>>): Synthesized {
  const app = new App({ context: { ...cdkJsonContext, 'aws:cdk:bundling-stacks': [], ...settings } });
  const template = Template.fromStack(new TidingsStack(app, 'Tidings'));
  const { Resources } = z.looseObject({ Resources: z.record(z.string(), resource) }).parse(template.toJSON());
  return { template, resources: new Map(Object.entries(Resources)), text: JSON.stringify(template.toJSON()) };
}

const getAtt = z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const ref = z.strictObject({ Ref: z.string() });
const join = z.strictObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) });

/** A value of the template as a person would say it: `StorageConfig`, `StorageLedger/index/byStatus`. */
export function nameOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const attribute = getAtt.safeParse(value);
  if (attribute.success) return withoutHash(attribute.data['Fn::GetAtt'][0]);
  const reference = ref.safeParse(value);
  if (reference.success) return withoutHash(reference.data.Ref);
  const [separator, parts] = join.parse(value)['Fn::Join'];
  return parts.map(nameOf).join(separator);
}

/** CDK ends a logical id with eight hexadecimal digits. */
export function withoutHash(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}
