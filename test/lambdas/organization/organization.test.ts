import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessOf, isEntitled, plan, withPlan } from '../../../lambdas/organization/organization.ts';
import type { Organization, Plan } from '../../../lambdas/organization/organization.ts';

const enterprise = { plan: 'enterprise', addOns: [] };
const withAddOn = { plan: 'team', addOns: ['sso', 'webhooks'] };
const team = { plan: 'team', addOns: [] };

describe('isEntitled', () => {
  it.each<[boolean, Plan]>([
    [true, enterprise],
    [true, withAddOn],
    [true, { plan: 'enterprise', addOns: ['webhooks'] }],
    [true, { plan: 'free', addOns: ['webhooks'] }],
    [false, team],
    [false, { plan: 'free', addOns: ['sso'] }],
    [false, { plan: 'webhooks', addOns: ['enterprise'] }],
    [false, { plan: 'enterprise-trial', addOns: ['webhooks-beta'] }],
  ])('%s for %j', (expected, given) => {
    expect(isEntitled(given)).toBe(expected);
  });
});

describe('plan', () => {
  it('has no add-ons when none are named', () => {
    expect(plan.parse({ plan: 'team' })).toEqual(team);
  });

  it.each([{ plan: 'Enterprise' }, { plan: '' }, { plan: 'a b' }, { plan: 'team', addOns: 'webhooks' }, {}])(
    'refuses %j',
    (given) => {
      expect(plan.safeParse(given).success).toBe(false);
    },
  );
});

describe('the plan of an organization over time', () => {
  it.each<[string, Plan[], { access: 'full' | 'read' | 'none'; lapsedAt?: string }]>([
    ['a new entitled organization may do everything', [enterprise], { access: 'full' }],
    ['a new one without the plan sees nothing', [team], { access: 'none' }],
    ['one whose plan has lapsed can still read', [enterprise, team], { access: 'read', lapsedAt: 'day 2' }],
    ['the add-on alone entitles', [team, withAddOn], { access: 'full' }],
    ['going from the plan to the add-on is no lapse', [enterprise, withAddOn], { access: 'full' }],
    [
      'a lapse is remembered from its first day',
      [enterprise, team, { plan: 'free', addOns: [] }],
      { access: 'read', lapsedAt: 'day 2' },
    ],
    [
      'who comes back may do everything, and has not lapsed',
      [enterprise, team, enterprise],
      { access: 'full' },
    ],
    [
      'a second lapse counts from its own day',
      [enterprise, team, enterprise, team],
      { access: 'read', lapsedAt: 'day 4' },
    ],
    ['who never was entitled does not lapse', [team, { plan: 'free', addOns: [] }], { access: 'none' }],
  ])('%s', (_name, plans, { access, lapsedAt }) => {
    const organization = after(plans);
    expect(accessOf(organization)).toBe(access);
    expect(organization.lapsedAt).toBe(lapsedAt);
  });

  it('keeps its policy and its day of creation', () => {
    const before = { ...after([enterprise]), policy: { timeoutSeconds: 7 } };
    expect(withPlan('org_1', before, { plan: team, at: 'day 9' })).toMatchObject({
      policy: { timeoutSeconds: 7 },
      createdAt: 'day 1',
      updatedAt: 'day 9',
    });
  });

  it.each<[string, Plan[], Organization['missed']]>([
    ['nothing while it has not lapsed', [enterprise, withAddOn], undefined],
    ['nothing while it has not returned', [enterprise, team], undefined],
    [
      'all since it lapsed, once it is back',
      [enterprise, team, enterprise],
      { since: 'day 2', until: 'day 3' },
    ],
    [
      'the same until it is recovered',
      [enterprise, team, enterprise, withAddOn],
      { since: 'day 2', until: 'day 3' },
    ],
    [
      'from the first lapse to the last return',
      [enterprise, team, enterprise, team, withAddOn],
      { since: 'day 2', until: 'day 5' },
    ],
    ['nothing before it was ever entitled', [team, enterprise], undefined],
  ])('is offered %s', (_name, plans, missed) => {
    expect(after(plans).missed).toEqual(missed);
  });

  it('nobody who was entitled once ever loses sight of the configuration', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(enterprise, withAddOn, team), { minLength: 1 }), (plans) => {
        fc.pre(plans.some(isEntitled));
        expect(accessOf(after(plans))).not.toBe('none');
      }),
    );
  });
});

/** An organization whose plan was set once a day. */
function after(plans: readonly Plan[]): Organization {
  const last = plans.reduce<Organization | undefined>(
    (before, set, index) => withPlan('org_1', before, { plan: set, at: `day ${index + 1}` }),
    undefined,
  );
  if (last === undefined) throw new Error('name at least one plan');
  return last;
}
