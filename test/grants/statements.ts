import { Book } from '../../local/permissions/book.ts';
import { Refused } from '../../local/permissions/refusal.ts';
import type { Held, Records } from './records.ts';

const place = { region: 'us-east-1', accountId: '000000000000' };

export interface Tried {
  readonly key: string;
  readonly policy: string;
  readonly written: object;
  /** A judgement that comes out differently without it; none where it is needless. */
  readonly differs:
    { readonly action: string; readonly resource: string; readonly by: readonly string[] } | undefined;
}

/** Takes each statement out of each template in turn, and replays what was judged. */
export function tryEach({ stacks, judgements }: Records): Tried[] {
  const tried = new Map<string, Tried>();
  for (const stack of stacks) {
    const whole = bookOf(stack);
    const same = judgements.filter((one) => isAllowedBy(whole, one) === one.isAllowed);
    for (const { key, statement } of stack) {
      if (tried.get(key)?.differs !== undefined) continue;
      const without = bookOf(stack, key);
      const concerned = same.filter(
        ({ action, resource }) =>
          statement.meansAction(action.toLowerCase()) && statement.meansResource(resource),
      );
      // Of several the one by which a test fails that can be run.
      const differing = concerned.filter((one) => isAllowedBy(without, one) !== one.isAllowed);
      const differs = differing.find(({ by }) => by.length > 0) ?? differing[0];
      tried.set(key, { key, policy: statement.policy, written: statement.written, differs });
    }
  }
  return [...tried.values()];
}

function bookOf(stack: readonly Held[], without?: string): Book {
  const book = new Book({ place, without });
  for (const { arn, isOfRole, statement } of stack) {
    if (isOfRole) book.addRolePolicy(arn, [statement]);
    else book.addResourcePolicy(arn, [statement]);
  }
  return book;
}

function isAllowedBy(
  book: Book,
  { principal, action, resource, context }: Records['judgements'][number],
): boolean {
  try {
    book.demand(principal, [{ action, resource, context }], context['aws:securetransport'] !== 'false');
    return true;
  } catch (error) {
    if (error instanceof Refused) return false;
    throw error;
  }
}
