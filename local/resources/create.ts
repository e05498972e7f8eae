import { z } from 'zod';
import { references, resolve } from '../template.ts';
import type { Resource, Scope, Template } from '../template.ts';

/** What a template can refer to once a resource is there: `Ref` and `Fn::GetAtt`. */
export interface Created {
  readonly ref: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Creates one resource from its properties, in which every intrinsic has been replaced. */
export type Maker = (logicalId: string, properties: unknown) => Created | Promise<Created>;

export interface Place {
  readonly region: string;
  readonly accountId: string;
}

/**
 * Types that watch, or that are the network in which functions run: nothing here asks them. They get a name, so that
 * what refers to them resolves. Any type that is neither here nor has a maker is refused.
 */
const withoutLocalMeaning: ReadonlySet<string> = new Set([
  'AWS::CDK::Metadata',
  'AWS::CloudWatch::Dashboard',
  'AWS::EC2::EIP',
  'AWS::EC2::InternetGateway',
  'AWS::EC2::NatGateway',
  'AWS::EC2::Route',
  'AWS::EC2::RouteTable',
  'AWS::EC2::SecurityGroup',
  'AWS::EC2::Subnet',
  'AWS::EC2::SubnetRouteTableAssociation',
  'AWS::EC2::VPC',
  'AWS::EC2::VPCEndpoint',
  'AWS::EC2::VPCGatewayAttachment',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Logs::MetricFilter',
  'AWS::Logs::QueryDefinition',
]);

/**
 * Creates everything that stands in the template, each resource after those it refers to or depends on.
 *
 * @returns the values of the template's outputs, by name.
 * @throws Error naming the resource, when its type or one of its properties is not known here.
 */
export async function createAll(
  template: Template,
  makers: Readonly<Record<string, Maker>>,
  place: Place,
): Promise<Readonly<Record<string, string>>> {
  const created = new Map<string, Created>();
  const scope = scopeOf(created, place);
  for (const [logicalId, resource] of inOrder(template.Resources)) {
    created.set(logicalId, await createOne(logicalId, resource, { makers, scope, place }));
  }
  const outputs = Object.entries(template.Outputs);
  return Object.fromEntries(
    outputs.map(([name, { Value }]) => [name, z.coerce.string().parse(resolve(Value, scope))]),
  );
}

interface Workshop {
  readonly makers: Readonly<Record<string, Maker>>;
  readonly scope: Scope;
  readonly place: Place;
}

async function createOne(
  logicalId: string,
  { Type, Properties }: Resource,
  workshop: Workshop,
): Promise<Created> {
  const { makers, scope, place } = workshop;
  const maker = makers[Type];
  if (maker === undefined) {
    if (withoutLocalMeaning.has(Type)) return standIn(logicalId, place);
    throw new Error(`${logicalId}: the local runtime does not know ${Type}`);
  }
  try {
    return await maker(logicalId, resolve(Properties, scope));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new Error(`${logicalId} (${Type}) cannot be created here.\n${reason}`, { cause });
  }
}

function standIn(logicalId: string, { region, accountId }: Place): Created {
  const arn = `arn:aws:local:${region}:${accountId}:${logicalId}`;
  const names = ['Id', 'AllocationId', 'GroupId'].map((name) => [name, logicalId] as const);
  return { ref: logicalId, attributes: { Arn: arn, ...Object.fromEntries(names) } };
}

function scopeOf(created: ReadonlyMap<string, Created>, { region, accountId }: Place): Scope {
  const pseudo: Readonly<Record<string, string>> = {
    'AWS::AccountId': accountId,
    'AWS::Partition': 'aws',
    'AWS::Region': region,
    'AWS::StackName': 'Tidings',
    'AWS::StackId': `arn:aws:cloudformation:${region}:${accountId}:stack/Tidings/00000000-0000-4000-8000-000000000000`,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  const find = (logicalId: string): Created => {
    const one = created.get(logicalId);
    if (one === undefined) throw new Error(`The template refers to ${logicalId}, which is not there`);
    return one;
  };
  return {
    ref: (name) => pseudo[name] ?? find(name).ref,
    attribute: (logicalId, name) => {
      const value = find(logicalId).attributes?.[name];
      if (value === undefined) throw new Error(`The local runtime does not know ${logicalId}.${name}`);
      return value;
    },
  };
}

/** Depth first over references and `DependsOn`. */
function inOrder(resources: Readonly<Record<string, Resource>>): readonly (readonly [string, Resource])[] {
  const ordered = new Map<string, Resource>();
  const open = new Set<string>();
  const visit = (logicalId: string): void => {
    const resource = resources[logicalId];
    // A pseudo parameter, or a name that the scope will refuse with a better message.
    if (resource === undefined || ordered.has(logicalId)) return;
    if (open.has(logicalId)) throw new Error(`The template refers in a circle at ${logicalId}`);
    open.add(logicalId);
    for (const id of [...references(resource.Properties), ...resource.DependsOn]) visit(id);
    ordered.set(logicalId, resource);
  };
  for (const logicalId of Object.keys(resources)) visit(logicalId);
  return [...ordered];
}
