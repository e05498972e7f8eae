import type { Book } from './book.ts';
import type { Principal } from './evaluator/policy.ts';
import { keyUse } from './needs/need.ts';
import type { Need, Surroundings } from './needs/need.ts';
import { keyActions, onQueue } from './needs/sqs.ts';

/** What a service tells the key of a target of whose rule or alarm it acts for; for SQS's key AWS's pages differ. */
export interface KeyHints {
  /** `aws:SourceAccount` and `aws:SourceArn`. */
  readonly source: boolean;
  /** `kms:EncryptionContext:…`, which the service that owns the target gives. */
  readonly encryptionContext: boolean;
}

export interface HopsOptions {
  readonly book: Book;
  readonly surroundings: Surroundings;
  readonly keyHints: KeyHints;
}

/** A function, as far as its own permissions go. */
export interface Runner {
  readonly name: string;
  readonly arn: string;
  /** Name of its role. */
  readonly role: string;
  readonly logGroupArn: string;
  readonly keyArn: string | undefined;
  readonly isTraced: boolean;
  readonly isInNetwork: boolean;
}

/** What is written of a network, and by which role. */
export interface FlowLog {
  readonly role: string;
  readonly logGroupArn: string;
}

/** Service Authorization Reference and Lambda developer guide, "Required IAM permissions" of VPC access. */
const interfaces = [
  ...['CreateNetworkInterface', 'DescribeNetworkInterfaces', 'DescribeSubnets', 'DeleteNetworkInterface'],
  ...['AssignPrivateIpAddresses', 'UnassignPrivateIpAddresses'],
].map((name) => ({ action: `ec2:${name}`, resource: '*' }));

/** What services of AWS do in their own name, or with the role of a function. Each throws Refused. */
export class Hops {
  readonly #book: Book;
  readonly #surroundings: Surroundings;
  readonly #hints: KeyHints;

  public constructor({ book, surroundings, keyHints }: HopsOptions) {
    this.#book = book;
    this.#surroundings = surroundings;
    this.#hints = keyHints;
  }

  /** An event source mapping takes from a queue, with the function's role. */
  public mappingReceives(runner: Runner, queueArn: string): void {
    const needs = ['ReceiveMessage', 'GetQueueAttributes'].flatMap((permission) =>
      onQueue(this.#surroundings, permission, queueArn),
    );
    this.#book.demand(this.#roleOf(runner), needs);
  }

  public mappingDeletes(runner: Runner, queueArn: string): void {
    this.#book.demand(this.#roleOf(runner), onQueue(this.#surroundings, 'DeleteMessage', queueArn));
  }

  /** EventBridge puts an event on a queue for a rule. */
  public ruleSends(ruleArn: string, queueArn: string): void {
    const source = this.#source(ruleArn);
    const context = { 'kms:EncryptionContext:aws:sqs:arn': queueArn };
    this.#book.demand(service('events'), [
      { action: 'sqs:SendMessage', resource: queueArn, context: source },
      ...this.#keyNeeds(queueArn, { actions: keyActions['SendMessage'] ?? [], source, context }),
    ]);
  }

  /** EventBridge keeps an event in an archive, encrypted by a key (user guide, "Encrypting archives"). */
  public archiveKeeps(archive: { arn: string; busArn: string; keyArn: string }): void {
    const context = this.#told(this.#source(archive.arn), {
      'kms:EncryptionContext:aws:events:event-bus:arn': archive.busArn,
    });
    const actions = ['DescribeKey', 'GenerateDataKey', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo'];
    this.#book.demand(
      service('events'),
      actions.map((name) => ({ action: `kms:${name}`, resource: archive.keyArn, context })),
    );
  }

  /** CloudWatch publishes to a topic when an alarm changes its state. */
  public alarmPublishes(alarmArn: string, topicArn: string): void {
    const source = this.#source(alarmArn);
    const context = { 'kms:EncryptionContext:aws:sns:topicArn': topicArn };
    this.#book.demand(service('cloudwatch'), [
      { action: 'sns:Publish', resource: topicArn, context: source },
      ...this.#keyNeeds(topicArn, { actions: ['GenerateDataKey', 'Decrypt'], source, context }),
    ]);
  }

  /** A service calls a function for something of the account. */
  public serviceInvokes(
    name: 'apigateway' | 'events' | 'cognito-idp',
    sourceArn: string,
    functionArn: string,
  ) {
    const needs = [
      { action: 'lambda:InvokeFunction', resource: functionArn, context: this.#source(sourceArn) },
    ];
    this.#book.demand(service(name), needs);
  }

  /** Anybody calls a function by its URL: since October 2025 that takes two permissions (Lambda developer guide, "Function URLs"). */
  public urlInvokes(functionArn: string): void {
    this.#book.demand({ kind: 'anybody' }, [
      {
        action: 'lambda:InvokeFunctionUrl',
        resource: functionArn,
        context: { 'lambda:FunctionUrlAuthType': 'NONE' },
      },
      {
        action: 'lambda:InvokeFunction',
        resource: functionArn,
        context: { 'lambda:InvokedViaFunctionUrl': 'true' },
      },
    ]);
  }

  /** Lambda makes an environment: it takes on the role, opens the variables, and makes interfaces in a network. */
  public functionStarts(runner: Runner): void {
    const { arn, keyArn, isInNetwork, role } = runner;
    const principal = this.#roleOf(runner);
    this.#book.demand(service('lambda'), [{ action: 'sts:AssumeRole', resource: principal.arn }]);
    const opening = keyUse(this.#surroundings, keyArn, {
      via: 'lambda',
      actions: ['Decrypt'],
      context: { 'kms:EncryptionContext:aws:lambda:FunctionArn': arn },
    });
    // Lambda itself asks, so no function is named as the source.
    this.#book.demand(this.#book.role(role, 'AWSLambda'), [...opening, ...(isInNetwork ? interfaces : [])]);
  }

  public functionLogs(runner: Runner): void {
    this.#logs(this.#roleOf(runner), ['CreateLogStream', 'PutLogEvents'], runner.logGroupArn);
  }

  public functionTraces(runner: Runner): void {
    if (!runner.isTraced) return;
    const needs = ['PutTraceSegments', 'PutTelemetryRecords'].map((name) => ({
      action: `xray:${name}`,
      resource: '*',
    }));
    this.#book.demand(this.#roleOf(runner), needs);
  }

  /** The flow log of a network is written with a role of its own. */
  public flowLogWrites({ role, logGroupArn }: FlowLog): void {
    const principal = this.#book.role(role, 'flow-logs');
    this.#book.demand(service('vpc-flow-logs'), [{ action: 'sts:AssumeRole', resource: principal.arn }]);
    this.#logs(principal, ['CreateLogStream', 'DescribeLogStreams', 'PutLogEvents'], logGroupArn);
  }

  #logs(principal: Principal, names: readonly string[], logGroupArn: string): void {
    this.#book.demand(
      principal,
      names.map((name) => ({ action: `logs:${name}`, resource: logGroupArn })),
    );
  }

  #keyNeeds(
    arn: string,
    {
      actions,
      source,
      context,
    }: { actions: readonly string[]; source: Need['context']; context: Need['context'] },
  ): Need[] {
    const keyArn = this.#surroundings.keyOf(arn);
    if (keyArn === undefined) return [];
    const told = this.#told(source, context);
    return actions.map((name) => ({ action: `kms:${name}`, resource: keyArn, context: told }));
  }

  /** What a key hears. */
  #told(source: Need['context'], context: Need['context']): NonNullable<Need['context']> {
    return { ...(this.#hints.source ? source : {}), ...(this.#hints.encryptionContext ? context : {}) };
  }

  #source(arn: string): NonNullable<Need['context']> {
    return { 'aws:SourceArn': arn, 'aws:SourceAccount': this.#surroundings.place.accountId };
  }

  #roleOf({ role, name }: Runner): Extract<Principal, { kind: 'role' }> {
    return this.#book.role(role, name);
  }
}

function service(name: string): Principal {
  return { kind: 'service', name: `${name}.amazonaws.com` };
}
