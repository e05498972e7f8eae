import { describe, expect, it } from 'vitest';
import { builtInEventTypes, catalogueOf, isPublishable } from '../../../lambdas/event/catalogue.ts';
import { parsePart } from '../../../lambdas/shared/faults.ts';
import {
  definedName,
  eventType,
  eventTypeName,
  subscribableCategories,
} from '../../../lambdas/event/event-type.ts';

const added = {
  name: 'billing.invoice.paid',
  category: 'governance',
  description: 'Paid.',
  isBuiltIn: false,
} as const;

describe('the built-in catalogue', () => {
  it('names the event types that come with Tidings, each in its category', () => {
    expect(Object.fromEntries(builtInEventTypes.map(({ name, category }) => [name, category]))).toEqual({
      'pipeline.run.started': 'pipeline_execution',
      'pipeline.run.succeeded': 'pipeline_execution',
      'pipeline.run.failed': 'pipeline_execution',
      'pipeline.run.cancelled': 'pipeline_execution',
      'orchestration.job.queued': 'orchestration',
      'orchestration.lease.acquired': 'orchestration',
      'orchestration.backfill.segment_completed': 'orchestration',
      'security.api_key.created': 'security_and_access',
      'security.sso_certificate.expiring': 'security_and_access',
      'security.policy.changed': 'security_and_access',
      'governance.contract.violated': 'governance',
      'governance.catalog_sync.finished': 'governance',
      'webhook.test': 'test',
    });
  });

  it.each(builtInEventTypes)('$name is described, with an example', (type) => {
    expect(eventType.parse(type)).toEqual(type);
    expect(type.description).toMatch(/\w.*\.$/);
    expect(Object.keys(type.example ?? {})).not.toEqual([]);
  });

  it('every category has a type, and only the test event is in none that can be subscribed to', () => {
    const used = new Set(builtInEventTypes.map(({ category }) => category));
    expect([...used].toSorted()).toEqual([...subscribableCategories, 'test'].toSorted());
  });
});

describe('catalogueOf', () => {
  it('holds what an operator has added beside what is built in', () => {
    const catalogue = catalogueOf([added]);
    expect(catalogue.get(added.name)).toEqual(added);
    expect(catalogue.size).toBe(builtInEventTypes.length + 1);
  });

  it('a built-in type cannot be replaced, also not by an item that stands in the table', () => {
    const catalogue = catalogueOf([{ ...added, name: 'pipeline.run.failed' }]);
    expect(catalogue.get('pipeline.run.failed')).toMatchObject({
      category: 'pipeline_execution',
      isBuiltIn: true,
    });
  });
});

describe('isPublishable', () => {
  const catalogue = catalogueOf([added]);

  it.each([
    ['pipeline.run.failed', true],
    ['billing.invoice.paid', true],
    ['webhook.test', false],
    ['pipeline.run', false],
    ['pipeline.*', false],
    ['PIPELINE.RUN.FAILED', false],
    ['', false],
    ['constructor', false],
    ['__proto__', false],
  ])('%j: %s', (type, expected) => {
    expect(isPublishable(catalogue, type)).toBe(expected);
  });
});

describe('eventTypeName', () => {
  it.each([
    'a',
    'A.b',
    'a.1b',
    'a-b.c',
    'exports',
    'import.done',
    'a.b',
    'pipeline.run.failed',
    'x1.y_2.z3',
    `a.${'b'.repeat(126)}`,
  ])('takes %s', (name) => {
    expect(eventTypeName.safeParse(name).success).toBe(true);
  });

  it.each([
    '',
    'a.',
    '.a',
    'a..b',
    'a b',
    'a/b',
    'a%2Fb',
    '-a.b',
    'a._b',
    '__proto__',
    'ä.b',
    'a.b*',
    'a.*',
    'a.b\n',
    `a.${'b'.repeat(127)}`,
  ])('refuses %j', (name) => {
    expect(eventTypeName.safeParse(name).success).toBe(false);
  });

  it.each(['_a', '-a', 'a._b', 'a.-b'])('says of %j that a letter or digit begins each word', (name) => {
    const fault = parsePart(eventTypeName, name);
    expect(fault).toMatchObject({
      faults: [{ detail: expect.stringMatching(/beginning with a letter or digit$/) as string }],
    });
  });

  it('defines none that is called as an operation of the catalogue', () => {
    expect(['export', 'import', 'exported'].map((name) => definedName.safeParse(name).success)).toEqual([
      false,
      false,
      true,
    ]);
  });
});
