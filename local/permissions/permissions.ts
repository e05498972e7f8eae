import { AwsError } from '../aws/aws-error.ts';
import type { LocalAws } from '../aws/aws.ts';
import type { AwsCall } from '../aws/server.ts';
import type { Maker } from '../resources/create.ts';
import { Book } from './book.ts';
import type { Principal } from './evaluator/policy.ts';
import { Hops } from './hops.ts';
import type { FlowLog, KeyHints } from './hops.ts';
import { Noted, policyMakers } from './makers.ts';
import type { KeyFacts, SecretFacts, Surroundings } from './needs/need.ts';
import { needsOf } from './needs/needs.ts';
import { Recorder } from './record.ts';

/** Where AWS is not documented, or slow: a test shows that both ways do. */
export interface PermissionsOptions {
  /** Milliseconds until the tags of a new key count; on AWS up to five minutes (KMS developer guide, "ABAC for KMS"). */
  readonly tagsCountAfterMs?: number;
  /** Whether KMS tells the use of a key that is tagged as it is made. By default it does not. */
  readonly tellsUsageAtTagging?: boolean;
  readonly keyHints?: KeyHints;
  /** False: every call is served unasked. For the bench that says what judging costs. */
  readonly isJudged?: boolean;
}

/** The access key of whoever calls from outside and may do all, as the README has it; a function's is its own name. */
const administratorKey = 'local';

/** The folder in which what is judged is kept, and a statement that is left out: for the commands that test policies. */
const recordFolder = 'TIDINGS_PERMISSIONS_RECORD';
const withoutStatement = 'TIDINGS_PERMISSIONS_WITHOUT';

/** Who may do what in the local runtime, as the template says: decision 37. */
export class Permissions {
  public readonly book: Book;
  public readonly hops: Hops;
  readonly #options: PermissionsOptions;
  readonly #recorder: Recorder | undefined;
  readonly #surroundings: Surroundings;
  readonly #noted: Noted;
  readonly #flowLogs: FlowLog[] = [];
  readonly #roles = new Map<string, Principal>();
  readonly #aws: LocalAws;

  public constructor(aws: LocalAws, options: PermissionsOptions = {}) {
    const { region, accountId } = aws.setting;
    this.#aws = aws;
    this.#options = options;
    const folder = process.env[recordFolder];
    const isStrict = Object.keys(options).length > 0;
    this.#recorder = folder === undefined ? undefined : new Recorder(folder, isStrict);
    const without = process.env[withoutStatement];
    const { isJudged = true } = options;
    this.book = new Book({ place: { region, accountId }, recorder: this.#recorder, without, isJudged });
    this.#noted = new Noted(this.book);
    this.#surroundings = {
      place: this.book.place,
      keyOf: (arn) => this.#noted.keyOf(arn),
      partitionKeyOf: (arn) => this.#noted.partitionKeyOf(arn),
      keyFacts: (id) => this.#keyFacts(id),
      secretFacts: (id) => this.#secretFacts(id),
      tellsUsageAtTagging: options.tellsUsageAtTagging ?? false,
    };
    const keyHints = options.keyHints ?? { source: true, encryptionContext: true };
    this.hops = new Hops({ book: this.book, surroundings: this.#surroundings, keyHints });
  }

  /** Makers of roles and policies, and those given, which are looked at on the way. */
  public noting(makers: Readonly<Record<string, Maker>>): Readonly<Record<string, Maker>> {
    const addFlowLog = (log: FlowLog) => this.#flowLogs.push(log);
    const all = this.#noted.noting({ ...makers, ...policyMakers(this.book, addFlowLog) });
    const make = all['AWS::Lambda::Function'];
    if (make === undefined) throw new Error('Nobody makes functions');
    return {
      ...all,
      'AWS::Lambda::Function': async (logicalId, properties) => {
        const made = await make(logicalId, properties);
        this.#addRole(made.ref, properties);
        return made;
      },
    };
  }

  /**
   * Judges a call before it is served.
   *
   * @throws Refused when no policy allows it, or one denies it.
   * @throws AwsError `UnrecognizedClientException` when nobody has such an access key.
   */
  public permit({ accessKeyId, isSecure, ...call }: AwsCall): void {
    this.book.demand(this.#principalOf(accessKeyId), needsOf(call, this.#surroundings), isSecure);
  }

  /** A function that has lost its own key is not the administrator for that. */
  #principalOf(accessKeyId: string): Principal {
    const principal =
      accessKeyId === administratorKey ? this.book.administrator : this.#roles.get(accessKeyId);
    if (principal !== undefined) return principal;
    throw new AwsError(
      'UnrecognizedClientException',
      'The security token included in the request is invalid.',
    );
  }

  /**
   * To be called when everything is there: what does its work by itself from then on.
   *
   * @throws Refused when a role may not do what it is for.
   */
  public begin(): void {
    for (const one of this.#flowLogs) this.hops.flowLogWrites(one);
  }

  public functionNames(): readonly string[] {
    return [...this.#roles.keys()];
  }

  /** The role of a function in its own hands; by its name, or the beginning of that without the stack's. */
  public roleOf(name: string): Principal {
    const [, found] =
      [...this.#roles].find(([one]) => one === name || one.startsWith(`Tidings-${name}`)) ?? [];
    if (found === undefined) throw new Error(`There is no function ${name}`);
    return found;
  }

  /** To be called at the end of the runtime. */
  public close(): void {
    this.#recorder?.write();
  }

  #addRole(functionName: string, properties: unknown): void {
    const role =
      typeof properties === 'object' && properties !== null && 'Role' in properties ? properties.Role : '';
    const name = String(role).split('/').at(-1) ?? '';
    this.#roles.set(functionName, this.book.role(name, functionName));
  }

  #keyFacts(id: string): KeyFacts | undefined {
    const { kms, setting } = this.#aws;
    const key = orNothing(() => kms.describe(id));
    if (key === undefined) return undefined;
    const countFromMs = key.createdAt + (this.#options.tagsCountAfterMs ?? 0);
    const tags = setting.clock.now() < countFromMs ? [] : key.tags;
    return {
      arn: kms.arnOf(key),
      usage: key.usage,
      spec: key.spec,
      tags: Object.fromEntries(tags.map(({ TagKey, TagValue }) => [TagKey, TagValue])),
    };
  }

  #secretFacts(id: string): SecretFacts | undefined {
    const secret = orNothing(() => this.#aws.secrets.describe(id));
    return secret && { arn: secret.arn, keyArn: secret.kmsKeyId };
  }
}

function orNothing<Value>(find: () => Value): Value | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof AwsError) return undefined;
    throw error;
  }
}
