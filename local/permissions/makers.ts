import { z } from 'zod';
import type { Created, Maker } from '../resources/create.ts';
import { ignored } from '../resources/property.ts';
import type { Book } from './book.ts';
import { statementsOf } from './evaluator/policy.ts';
import type { FlowLog } from './hops.ts';

/** Roles and policies, out of the template: what is judged by. */
export function policyMakers(
  book: Book,
  addFlowLog: (log: FlowLog) => void,
): Readonly<Record<string, Maker>> {
  return { ...identityMakers(book), ...resourceMakers(book), ...logMakers(book, addFlowLog) };
}

function identityMakers(book: Book): Readonly<Record<string, Maker>> {
  const roleArn = (name: string) => book.role(name, '').arn;
  return {
    'AWS::IAM::Role': (logicalId, properties) => {
      const { AssumeRolePolicyDocument } = role.parse(properties);
      const name = `Tidings-${logicalId}`;
      const arn = roleArn(name);
      book.addResourcePolicy(arn, statementsOf(logicalId, AssumeRolePolicyDocument, arn));
      return { ref: name, attributes: { Arn: arn } };
    },
    'AWS::IAM::Policy': (logicalId, properties) => {
      const { PolicyDocument, Roles } = rolePolicy.parse(properties);
      for (const name of Roles) book.addRolePolicy(roleArn(name), statementsOf(logicalId, PolicyDocument));
      return { ref: logicalId };
    },
  };
}

function resourceMakers(book: Book): Readonly<Record<string, Maker>> {
  const { region, accountId } = book.place;
  return {
    'AWS::SQS::QueuePolicy': (logicalId, properties) => {
      const { PolicyDocument, Queues } = queuePolicy.parse(properties);
      for (const url of Queues) {
        const arn = `arn:aws:sqs:${region}:${accountId}:${url.split('/').at(-1) ?? ''}`;
        book.addResourcePolicy(arn, statementsOf(logicalId, PolicyDocument, arn));
      }
      return { ref: logicalId };
    },
    'AWS::SNS::TopicPolicy': (logicalId, properties) => {
      const { PolicyDocument, Topics } = topicPolicy.parse(properties);
      for (const arn of Topics) book.addResourcePolicy(arn, statementsOf(logicalId, PolicyDocument, arn));
      return { ref: logicalId };
    },
    'AWS::Lambda::Permission': (logicalId, properties) => {
      const wanted = permission.parse(properties);
      book.addResourcePolicy(
        wanted.FunctionName,
        statementsOf(logicalId, permissionPolicy(wanted), wanted.FunctionName),
      );
      return { ref: logicalId };
    },
  };
}

function logMakers(book: Book, addFlowLog: (log: FlowLog) => void): Readonly<Record<string, Maker>> {
  const { region, accountId } = book.place;
  return {
    'AWS::EC2::FlowLog': (logicalId, properties) => {
      const { DeliverLogsPermissionArn, LogGroupName } = flowLog.parse(properties);
      const logGroup = `arn:aws:logs:${region}:${accountId}:log-group:${LogGroupName}:log-stream:eni`;
      addFlowLog({ role: DeliverLogsPermissionArn.split('/').at(-1) ?? '', logGroupArn: logGroup });
      return { ref: logicalId };
    },
    'AWS::Logs::LogGroup': (logicalId, properties) => {
      const name = logGroup.parse(properties).LogGroupName ?? `Tidings-${logicalId}`;
      return { ref: name, attributes: { Arn: `arn:aws:logs:${region}:${accountId}:log-group:${name}:*` } };
    },
  };
}

const role = z.strictObject({ AssumeRolePolicyDocument: z.unknown() });
const rolePolicy = z.strictObject({
  PolicyDocument: z.unknown(),
  PolicyName: z.string(),
  Roles: z.array(z.string()),
});
const queuePolicy = z.strictObject({ PolicyDocument: z.unknown(), Queues: z.array(z.string()) });
const topicPolicy = z.strictObject({ PolicyDocument: z.unknown(), Topics: z.array(z.string()) });
const logGroup = z.strictObject({ LogGroupName: z.string().optional(), RetentionInDays: ignored });
const flowLog = z.looseObject({ DeliverLogsPermissionArn: z.string(), LogGroupName: z.string() });
const permission = z.strictObject({
  Action: z.string(),
  FunctionName: z.string(),
  Principal: z.string(),
  SourceArn: z.string().optional(),
  FunctionUrlAuthType: z.string().optional(),
  InvokedViaFunctionUrl: z.boolean().optional(),
});

/** The statement that Lambda makes of a permission (API reference, AddPermission). */
function permissionPolicy(wanted: z.output<typeof permission>): unknown {
  const { Action, FunctionName: Resource, Principal, SourceArn } = wanted;
  const { FunctionUrlAuthType: authType, InvokedViaFunctionUrl: isViaUrl } = wanted;
  const Condition = {
    ...(SourceArn === undefined ? {} : { ArnLike: { 'aws:SourceArn': SourceArn } }),
    ...(authType === undefined ? {} : { StringEquals: { 'lambda:FunctionUrlAuthType': authType } }),
    ...(isViaUrl === undefined ? {} : { Bool: { 'lambda:InvokedViaFunctionUrl': isViaUrl } }),
  };
  const statement = {
    Effect: 'Allow',
    Action,
    Resource,
    Principal: Principal === '*' ? '*' : { Service: Principal },
    ...(Object.keys(Condition).length === 0 ? {} : { Condition }),
  };
  return { Version: '2012-10-17', Statement: [statement] };
}

/** What a resource says about its encryption and its keys, noted when it is made. */
export class Noted {
  readonly #keys = new Map<string, string>();
  readonly #partitions = new Map<string, string>();
  readonly #book: Book;

  public constructor(book: Book) {
    this.#book = book;
  }

  public keyOf(arn: string): string | undefined {
    return this.#keys.get(arn);
  }

  public partitionKeyOf(arn: string): string | undefined {
    return this.#partitions.get(arn);
  }

  /** The same makers, of which those of queues, tables, topics and keys are looked at. */
  public noting(makers: Readonly<Record<string, Maker>>): Readonly<Record<string, Maker>> {
    const watched = Object.entries(this.#watched).map(([type, note]) => {
      const make = makers[type];
      if (make === undefined) throw new Error(`Nobody makes ${type}`);
      const maker: Maker = async (logicalId, properties) => {
        const made = await make(logicalId, properties);
        note(made, properties, logicalId);
        return made;
      };
      return [type, maker] as const;
    });
    return { ...makers, ...Object.fromEntries(watched) };
  }

  readonly #watched: Readonly<
    Record<string, (made: Created, properties: unknown, logicalId: string) => void>
  > = {
    'AWS::SQS::Queue': (made, properties) => {
      this.#noteKey(arnOf(made), encrypted.parse(properties).KmsMasterKeyId);
    },
    'AWS::SNS::Topic': (made, properties) => {
      this.#noteKey(made.ref, encrypted.parse(properties).KmsMasterKeyId);
    },
    'AWS::DynamoDB::Table': (made, properties) => {
      const { SSESpecification, KeySchema, GlobalSecondaryIndexes } = table.parse(properties);
      const arn = arnOf(made);
      this.#noteKey(arn, SSESpecification?.KMSMasterKeyId);
      this.#partitions.set(arn, hashOf(KeySchema));
      for (const index of GlobalSecondaryIndexes) {
        this.#partitions.set(`${arn}/index/${index.IndexName}`, hashOf(index.KeySchema));
      }
    },
    'AWS::KMS::Key': (made, properties, logicalId) => {
      const arn = arnOf(made);
      this.#book.addResourcePolicy(arn, statementsOf(logicalId, key.parse(properties).KeyPolicy, arn));
    },
  };

  #noteKey(arn: string, keyArn: string | undefined): void {
    if (keyArn !== undefined) this.#keys.set(arn, keyArn);
  }
}

const encrypted = z.looseObject({ KmsMasterKeyId: z.string().optional() });
const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.string() }));
const table = z.looseObject({
  SSESpecification: z.looseObject({ KMSMasterKeyId: z.string().optional() }).optional(),
  KeySchema: keySchema,
  GlobalSecondaryIndexes: z.array(z.looseObject({ IndexName: z.string(), KeySchema: keySchema })).default([]),
});
const key = z.looseObject({ KeyPolicy: z.unknown() });

function arnOf({ ref, attributes }: Created): string {
  const arn = attributes?.['Arn'];
  if (arn === undefined) throw new Error(`${ref} has no ARN`);
  return arn;
}

function hashOf(schema: z.output<typeof keySchema>): string {
  return schema.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName ?? '';
}
