import { z } from 'zod';
import { conditionsOf } from './condition.ts';
import type { Condition } from './condition.ts';
import { meansAnAction, services } from './known.ts';
import { arnPattern, wildcard } from './wildcard.ts';

/** Who asks: a role in somebody's hands, a service of AWS in its own name, or anybody. */
export type Principal =
  | { readonly kind: 'role'; readonly arn: string; readonly session: string; readonly account: string }
  | { readonly kind: 'service'; readonly name: string }
  | { readonly kind: 'anybody' };

/** `delegated`: the statement leaves it to the policies of the account's own identities. */
export type Meant = 'named' | 'delegated' | undefined;

/** A statement, ready to be held against requests. */
export interface Statement {
  /** The policy it stands in, as the template names it. */
  readonly policy: string;
  /** As it was written, with every intrinsic replaced. */
  readonly written: Written;
  readonly isAllowing: boolean;
  /** In lower case. */
  readonly meansAction: (action: string) => boolean;
  readonly meansResource: (arn: string) => boolean;
  readonly means: (principal: Principal) => Meant;
  readonly holds: Condition;
  /** Condition keys that it asks for, in lower case. */
  readonly keys: readonly string[];
}

const oneOrMore = z.union([z.array(z.string()).min(1), z.string().transform((one) => [one])]);

const principals = z.union([
  z.literal('*'),
  z.strictObject({ AWS: oneOrMore.optional(), Service: oneOrMore.optional() }),
]);

const statement = z
  .strictObject({
    Sid: z.string().optional(),
    Effect: z.enum(['Allow', 'Deny']),
    Action: oneOrMore.optional(),
    NotAction: oneOrMore.optional(),
    Resource: oneOrMore.optional(),
    NotResource: oneOrMore.optional(),
    Principal: principals.optional(),
    Condition: z.unknown().optional(),
  })
  .refine((one) => (one.Action === undefined) !== (one.NotAction === undefined), 'Action or NotAction');
export type Written = z.output<typeof statement>;

const document = z.strictObject({
  Version: z.literal('2012-10-17'),
  Id: z.string().optional(),
  Statement: z.union([z.array(statement), statement.transform((one) => [one])]),
});

/**
 * The statements of a policy.
 *
 * @param policy name under which refusals and reports speak of it
 * @param resource ARN that a policy of a resource belongs to; `*` in it means this one. Without it, the policy of an identity
 * @throws Error on anything that is not known here.
 */
export function statementsOf(policy: string, given: unknown, resource?: string): Statement[] {
  return document.parse(given).Statement.map((written) => {
    try {
      return statementOf({ policy, written, resource });
    } catch (cause) {
      throw new Error(`${policy}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
  });
}

interface Given {
  readonly policy: string;
  readonly written: Written;
  readonly resource: string | undefined;
}

function statementOf({ policy, written, resource }: Given): Statement {
  const { Effect, Condition, Principal } = written;
  if ((Principal === undefined) !== (resource === undefined)) {
    throw new Error('a policy of a resource says for whom it is, one of an identity does not');
  }
  const { holds, keys } = conditionsOf(Condition);
  return {
    policy,
    written,
    isAllowing: Effect === 'Allow',
    meansAction: actionsMeant(written),
    meansResource: resourcesMeant(written, resource),
    means: Principal === undefined ? () => 'named' : principalsMeant(Principal),
    holds,
    keys,
  };
}

function actionsMeant({ Action, NotAction }: Written): (action: string) => boolean {
  const patterns = (Action ?? NotAction ?? []).map((pattern) => {
    const matches = wildcard(pattern.toLowerCase());
    if (!meansAnAction(matches)) throw new Error(`The evaluator knows no action ${pattern}`);
    return matches;
  });
  const isAny = (action: string) => patterns.some((matches) => matches(action));
  return Action === undefined ? (action) => !isAny(action) : isAny;
}

function resourcesMeant(
  { Resource, NotResource }: Written,
  own: string | undefined,
): (arn: string) => boolean {
  const given = Resource ?? NotResource;
  // The trust of a role names no resource: it is the role's own.
  if (given === undefined || (Resource !== undefined && NotResource !== undefined)) {
    if (own !== undefined && given === undefined) return (arn) => arn === own;
    throw new Error('a statement has either Resource or NotResource');
  }
  const patterns = given.map((pattern) => arnPattern(pattern === '*' && own !== undefined ? own : pattern));
  const isAny = (arn: string) => patterns.some((matches) => matches(arn));
  return Resource === undefined ? (arn) => !isAny(arn) : isAny;
}

const rootArn = /^arn:aws:iam::(\d{12}):root$/;
const roleArn = /^arn:aws:(?:iam::\d{12}:role|sts::\d{12}:assumed-role)\/[^*?]+$/;

function principalsMeant(given: z.output<typeof principals>): (principal: Principal) => Meant {
  if (given === '*') return () => 'named';
  const named = [...(given.AWS ?? []).map(byArn), ...(given.Service ?? []).map(byService)];
  if (named.length === 0) throw new Error('Principal names nobody');
  return (principal) => {
    const all = named.map((one) => one(principal));
    return all.includes('named') ? 'named' : all.find((one) => one !== undefined);
  };
}

function byArn(pattern: string): (principal: Principal) => Meant {
  if (pattern === '*') return () => 'named';
  const account = rootArn.exec(pattern)?.[1] ?? (/^\d{12}$/.test(pattern) ? pattern : undefined);
  if (account !== undefined) {
    return (principal) =>
      principal.kind === 'role' && principal.account === account ? 'delegated' : undefined;
  }
  if (!roleArn.test(pattern)) throw new Error(`The evaluator does not know the principal ${pattern}`);
  return (principal) =>
    principal.kind === 'role' && [principal.arn, principal.session].includes(pattern) ? 'named' : undefined;
}

function byService(name: string): (principal: Principal) => Meant {
  if (!services.has(name)) throw new Error(`The evaluator does not know the service ${name}`);
  return (principal) => (principal.kind === 'service' && principal.name === name ? 'named' : undefined);
}
