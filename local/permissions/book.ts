import { createHash } from 'node:crypto';
import type { Place } from '../resources/create.ts';
import { contextOf } from './evaluator/condition.ts';
import { judge } from './evaluator/judge.ts';
import type { InForce } from './evaluator/judge.ts';
import { statementsOf } from './evaluator/policy.ts';
import type { Principal, Statement } from './evaluator/policy.ts';
import { anyKey } from './needs/need.ts';
import type { Need } from './needs/need.ts';
import type { Recorder } from './record.ts';
import { Refused } from './refusal.ts';

export interface BookOptions {
  readonly place: Place;
  /** Keeps what was judged, for the tests of grants. */
  readonly recorder?: Recorder | undefined;
  /** A statement that is left out, by its key: so a test shows that it is needed. */
  readonly without?: string | undefined;
  readonly isJudged?: boolean;
}

const concernedMax = 10_000;

/** All policies of the account, as the template makes them, and what they say to whoever asks. */
export class Book {
  public readonly place: Place;
  /** So many times somebody asked, and so many milliseconds it took to answer. */
  public readonly spent = { judged: 0, ms: 0 };
  readonly #without: string | undefined;
  readonly #recorder: Recorder | undefined;
  readonly #isJudged: boolean;
  readonly #ofRoles = new Map<string, Statement[]>();
  readonly #ofResources = new Map<string, Statement[]>();
  readonly #administrator: readonly Statement[];
  readonly #usualKeyPolicy: readonly Statement[];
  readonly #concerned = new Map<string, InForce>();

  public constructor({ place, recorder, without, isJudged = true }: BookOptions) {
    this.place = place;
    this.#recorder = recorder;
    this.#without = without;
    this.#isJudged = isJudged;
    const Version = '2012-10-17';
    const all = { Effect: 'Allow', Action: '*', Resource: '*' };
    this.#administrator = statementsOf('Administrator', { Version, Statement: all });
    // What a key has that is made without one; those that sign are made so.
    const root = { AWS: `arn:aws:iam::${place.accountId}:root` };
    const usual = { Version, Statement: { ...all, Action: 'kms:*', Principal: root } };
    this.#usualKeyPolicy = statementsOf('the usual policy of a key', usual, '*');
  }

  public addRolePolicy(roleArn: string, statements: readonly Statement[]): void {
    this.#add(this.#ofRoles, roleArn, statements);
  }

  public addResourcePolicy(arn: string, statements: readonly Statement[]): void {
    this.#add(this.#ofResources, arn, statements);
  }

  #add(to: Map<string, Statement[]>, arn: string, statements: readonly Statement[]): void {
    this.#concerned.clear();
    const kept = statements.filter((one) => keyOf(one) !== this.#without);
    to.set(arn, [...(to.get(arn) ?? []), ...kept]);
    this.#recorder?.addStatements(arn, statements);
  }

  /**
   * Judges everything that a call or a hop takes.
   *
   * @throws Refused by the first that nothing allows.
   */
  public demand(principal: Principal, needs: readonly Need[], isSecure = true): void {
    if (!this.#isJudged) return;
    const startMs = performance.now();
    try {
      for (const need of needs) this.#demandOne(principal, need, isSecure);
    } finally {
      this.spent.ms += performance.now() - startMs;
    }
  }

  #demandOne(principal: Principal, { action, resource, context, via }: Need, isSecure: boolean): void {
    const asked = {
      principal,
      action,
      resource,
      context: contextOf({
        'aws:SecureTransport': String(isSecure),
        ...(principal.kind === 'role' ? { 'aws:PrincipalArn': principal.arn } : {}),
        ...context,
      }),
    };
    const judgement = judge(asked, this.#inForce(principal, action, resource));
    this.spent.judged += 1;
    this.#recorder?.addJudgement(asked, judgement);
    if (!judgement.isAllowed) throw new Refused(asked, judgement.why, via);
  }

  /** What may concern a request, whatever its context: the same is asked again and again. */
  #inForce(principal: Principal, action: string, resource: string): InForce {
    const name = `${principal.kind === 'role' ? principal.arn : ''} ${action} ${resource}`;
    const known = this.#concerned.get(name);
    if (known !== undefined) return known;
    const { isKey, ...all } = this.#all(principal, action, resource);
    const small = action.toLowerCase();
    const isConcerned = (one: Statement) => one.meansAction(small) && one.meansResource(resource);
    const found = {
      isKey,
      identity: all.identity.filter(isConcerned),
      resource: all.resource.filter(isConcerned),
    };
    // Secrets and signing keys are made without end.
    if (this.#concerned.size >= concernedMax) this.#concerned.clear();
    this.#concerned.set(name, found);
    return found;
  }

  #all(principal: Principal, action: string, resource: string): InForce {
    // A key to be made has no policy yet, and an action without a resource asks none.
    const isKey = action.startsWith('kms:') && resource !== '*' && resource !== anyKey(this);
    const own = this.#ofResources.get(resource);
    return {
      identity: this.#identity(principal),
      resource: own ?? (isKey ? this.#usualKeyPolicy : []),
      isKey,
    };
  }

  #identity(principal: Principal): readonly Statement[] {
    if (principal.kind !== 'role') return [];
    const own = this.#ofRoles.get(principal.arn);
    return own ?? (principal.arn === this.administrator.arn ? this.#administrator : []);
  }

  /** Whoever calls by hand: an operator, a producer, a test. What a resource denies to everybody is denied to them as well. */
  public get administrator(): Extract<Principal, { kind: 'role' }> {
    return this.role('Administrator', 'hand');
  }

  /** A role in somebody's hands, by its name. */
  public role(name: string, session: string): Extract<Principal, { kind: 'role' }> {
    const { accountId } = this.place;
    return {
      kind: 'role',
      account: accountId,
      arn: `arn:aws:iam::${accountId}:role/${name}`,
      session: `arn:aws:sts::${accountId}:assumed-role/${name}/${session}`,
    };
  }
}

/** Names a statement over all runs: by the policy it stands in, and by what it says. */
export function keyOf({ policy, written }: Pick<Statement, 'policy' | 'written'>): string {
  return createHash('sha256')
    .update(`${policy} ${JSON.stringify(written)}`)
    .digest('hex')
    .slice(0, 12);
}
