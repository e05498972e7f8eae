import type { Context } from './condition.ts';
import { isKnownAction } from './known.ts';
import type { Principal, Statement } from './policy.ts';

/** One thing that somebody wants to do. */
export interface Asked {
  readonly principal: Principal;
  /** Such as `sqs:SendMessage`. */
  readonly action: string;
  /** ARN, or `*` for an action that has no resource. */
  readonly resource: string;
  readonly context: Context;
}

/** What is in force for it. */
export interface InForce {
  /** Of the role that asks; empty for whoever is none. */
  readonly identity: readonly Statement[];
  /** Of the resource. */
  readonly resource: readonly Statement[];
  /** A key that somebody has: without a word of its policy the policies of identities count for nothing. */
  readonly isKey: boolean;
}

export type Judgement =
  | { readonly isAllowed: true; readonly by: readonly Statement[] }
  | { readonly isAllowed: false; readonly why: Why };

/** In the words of AWS's refusals. */
export type Why =
  | 'with an explicit deny in an identity-based policy'
  | 'with an explicit deny in a resource-based policy'
  | 'because no identity-based policy allows'
  | 'because no resource-based policy allows';

/**
 * Whether somebody may do something, within one account.
 * Source: IAM user guide, "Policy evaluation logic"; KMS developer guide, "Default key policy", for keys.
 *
 * @throws Error on an action that is not known here.
 */
export function judge(asked: Asked, inForce: InForce): Judgement {
  if (!isKnownAction(asked.action)) throw new Error(`The evaluator does not know ${asked.action}`);
  const identity = inForce.identity.filter((one) => appliesTo(one, asked));
  if (identity.some(({ isAllowing }) => !isAllowing)) {
    return { isAllowed: false, why: 'with an explicit deny in an identity-based policy' };
  }
  const resource = inForce.resource
    .filter((one) => appliesTo(one, asked))
    .map((statement) => ({ statement, meant: statement.means(asked.principal) }))
    .filter(({ meant }) => meant !== undefined);
  if (resource.some(({ statement }) => !statement.isAllowing)) {
    return { isAllowed: false, why: 'with an explicit deny in a resource-based policy' };
  }
  return allowed(asked, inForce, {
    identity,
    named: resource.filter(({ meant }) => meant === 'named').map(({ statement }) => statement),
    delegating: resource.filter(({ meant }) => meant === 'delegated').map(({ statement }) => statement),
  });
}

interface Allowing {
  readonly identity: readonly Statement[];
  readonly named: readonly Statement[];
  readonly delegating: readonly Statement[];
}

function allowed(
  { principal }: Asked,
  { isKey }: InForce,
  { identity, named, delegating }: Allowing,
): Judgement {
  if (named.length > 0) return { isAllowed: true, by: named };
  if (principal.kind !== 'role' || (isKey && delegating.length === 0)) {
    return { isAllowed: false, why: 'because no resource-based policy allows' };
  }
  if (identity.length === 0) return { isAllowed: false, why: 'because no identity-based policy allows' };
  return { isAllowed: true, by: isKey ? [...identity, ...delegating] : identity };
}

function appliesTo(statement: Statement, { action, resource, context }: Asked): boolean {
  return (
    statement.meansAction(action.toLowerCase()) &&
    statement.meansResource(resource) &&
    statement.holds(context)
  );
}
