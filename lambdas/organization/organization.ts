import { z } from 'zod';
import { organizationId } from '../shared/identifier.ts';
import { policy } from './policy.ts';
import { shownTime } from '../shared/time.ts';

const slug = z
  .string()
  .regex(
    /^[a-z][a-z0-9_-]{0,63}$/,
    'lower-case letters, digits, _ and -, 1 to 64 of them, beginning with a letter',
  );

/** What the operator says of an organization. */
export const plan = z
  .strictObject({ plan: slug, addOns: z.array(slug).max(50).default([]) })
  .meta({ id: 'Plan' });

export const organization = z.object({
  id: organizationId,
  plan: slug,
  addOns: z.array(slug),
  /** Defaults of its endpoints. */
  policy,
  createdAt: shownTime,
  updatedAt: shownTime,
  /** Since when it is no longer entitled; absent while it is, and when it never was. */
  lapsedAt: shownTime.optional(),
  /** While it was not entitled: what it missed then can be recovered, and is offered until it is. */
  missed: z.object({ since: shownTime, until: shownTime }).meta({ id: 'MissedSpan' }).optional(),
});

export type Organization = z.output<typeof organization>;
export type Plan = z.output<typeof plan>;

/** Webhooks belong to the enterprise plan, or to the add-on of that name. */
export function isEntitled({ plan, addOns }: Plan): boolean {
  return plan === 'enterprise' || addOns.includes('webhooks');
}

/** `full` for the entitled; `read` when the plan has lapsed, so that nobody loses a configuration; else `none`. */
export function accessOf(organization: Organization): 'full' | 'read' | 'none' {
  if (isEntitled(organization)) return 'full';
  return organization.lapsedAt === undefined ? 'none' : 'read';
}

/** The organization after the operator has set its plan. */
export function withPlan(
  id: string,
  before: Organization | undefined,
  { plan: after, at }: PlanChange,
): Organization {
  const wasEntitled = before !== undefined && isEntitled(before);
  const lapsedAt = wasEntitled ? at : before?.lapsedAt;
  const hasReturned = isEntitled(after) && before?.lapsedAt !== undefined;
  const since = before?.missed?.since ?? before?.lapsedAt ?? at;
  const missed = hasReturned ? { since, until: at } : before?.missed;
  return {
    id,
    ...after,
    policy: before?.policy ?? {},
    createdAt: before?.createdAt ?? at,
    updatedAt: at,
    ...(isEntitled(after) || lapsedAt === undefined ? {} : { lapsedAt }),
    ...(missed === undefined ? {} : { missed }),
  };
}

export interface PlanChange {
  readonly plan: Plan;
  /** ISO time. */
  readonly at: string;
}
