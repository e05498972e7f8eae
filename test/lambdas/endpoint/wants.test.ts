import { describe, expect, it } from 'vitest';
import { wants } from '../../../lambdas/endpoint/wants.ts';
import type { Subscription } from '../../../lambdas/endpoint/wants.ts';
import { builtInEventTypes } from '../../../lambdas/event/catalogue.ts';

const failed = { name: 'pipeline.run.failed', category: 'pipeline_execution' } as const;
const policyChanged = { name: 'security.policy.changed', category: 'security_and_access' } as const;

describe('a subscription', () => {
  it.each<[string, Partial<Subscription>, [boolean, boolean]]>([
    ['to nothing', {}, [false, false]],
    ['to the type', { eventTypes: ['pipeline.run.failed'] }, [true, false]],
    ['to another type', { eventTypes: ['pipeline.run.succeeded'] }, [false, false]],
    ['to a prefix', { eventTypes: ['pipeline.*'] }, [true, false]],
    ['to a deeper prefix', { eventTypes: ['pipeline.run.*'] }, [true, false]],
    ['to the type as a prefix', { eventTypes: ['pipeline.run.failed.*'] }, [false, false]],
    ['to a prefix that only begins the same', { eventTypes: ['pipe.*'] }, [false, false]],
    ['to everything', { eventTypes: ['*'] }, [true, true]],
    ['to the category', { categories: ['pipeline_execution'] }, [true, false]],
    ['to another category', { categories: ['governance'] }, [false, false]],
    [
      'to a type and a category',
      { eventTypes: ['security.*'], categories: ['pipeline_execution'] },
      [true, true],
    ],
    ['to several types', { eventTypes: ['a.b', 'security.policy.changed'] }, [false, true]],
  ])('%s', (_what, given, [wantsFailed, wantsChanged]) => {
    const subscription = { eventTypes: [], categories: [], ...given };
    expect(wants(subscription, failed)).toBe(wantsFailed);
    expect(wants(subscription, policyChanged)).toBe(wantsChanged);
  });

  it('to a type does not ask for a longer name', () => {
    const subscription = { eventTypes: ['pipeline.run'], categories: [] };
    expect(wants(subscription, failed)).toBe(false);
    expect(wants({ ...subscription, eventTypes: ['pipeline.*'] }, { ...failed, name: 'pipelines.run' })).toBe(
      false,
    );
  });

  it('to a category asks for every type of it, also for one that an operator adds', () => {
    const subscription = { eventTypes: [], categories: ['governance'] as const };
    const wanted = builtInEventTypes.filter((type) => wants(subscription, type)).map(({ name }) => name);
    expect(wanted).toEqual(['governance.contract.violated', 'governance.catalog_sync.finished']);
    expect(wants(subscription, { name: 'billing.invoice.paid', category: 'governance' })).toBe(true);
  });
});
