import { contextOf } from '../../local/permissions/evaluator/condition.ts';
import { statementsOf } from '../../local/permissions/evaluator/policy.ts';
import type { Written } from '../../local/permissions/evaluator/policy.ts';
import type { Recorded } from '../../local/permissions/record.ts';
import type { Held, Records } from './records.ts';

/** The smallest thing that is granted: an action on a resource, as a policy writes both. */
export interface Grant {
  readonly policy: string;
  readonly action: string;
  readonly resource: string;
  readonly isUsed: boolean;
}

/** Every grant of every template that was run, and whether any judgement came to be by it. */
export function grantsOf({ stacks, judgements }: Records): Grant[] {
  const allowed = judgements
    .filter(({ isAllowed }) => isAllowed)
    .map((one) => ({ ...one, context: contextOf(one.context) }));
  const grants = new Map<string, Grant>();
  for (const held of stacks.flat().filter(({ statement }) => statement.isAllowing)) {
    for (const one of partsOf(held)) {
      const { policy, written } = one.statement;
      const action = written.Action?.[0] ?? '';
      const resource = written.Resource?.[0] ?? held.arn;
      const name = `${policy} ${action} ${resource} ${JSON.stringify(written.Condition)}`;
      if (grants.get(name)?.isUsed === true) continue;
      const isUsed = allowed.some(
        (judgement) =>
          isOf(held, one, judgement) &&
          one.statement.meansAction(judgement.action.toLowerCase()) &&
          one.statement.meansResource(judgement.resource) &&
          one.statement.holds(judgement.context),
      );
      grants.set(name, { policy, action, resource, isUsed });
    }
  }
  return [...grants.values()];
}

function isOf(held: Held, { statement }: Held, { principal }: Pick<Recorded, 'principal'>): boolean {
  if (held.isOfRole) return principal.kind === 'role' && principal.arn === held.arn;
  return statement.means(principal) !== undefined;
}

/** A statement for each action and each resource of one. */
function partsOf(held: Held): Held[] {
  const { policy, written } = held.statement;
  const resources = written.Resource ?? [undefined];
  return (written.Action ?? []).flatMap((Action) =>
    resources.map((Resource) => {
      const part: Partial<Written> = { ...written, Action: [Action] };
      const own = Resource === undefined ? part : { ...part, Resource: [Resource] };
      const document = { Version: '2012-10-17', Statement: [own] };
      const [statement] = statementsOf(policy, document, held.isOfRole ? undefined : held.arn);
      if (statement === undefined) throw new Error(`${policy} says nothing`);
      return { ...held, statement };
    }),
  );
}
