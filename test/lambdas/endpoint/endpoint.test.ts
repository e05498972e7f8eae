import { describe, expect, it } from 'vitest';
import { endpointChange, liveVersions, newEndpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { judgeAlone } from '../../../lambdas/endpoint/judge.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { defaultTargetRules } from '../../fakes/target-rules.ts';

const ofOwn = { name: 'userCreated', category: 'governance', description: 'x', isBuiltIn: false } as const;
const rules = { target: defaultTargetRules, listEventTypes: () => Promise.resolve([ofOwn]) };
const url = 'https://a.example.com/hook';

describe('a new endpoint', () => {
  it('is active and subscribed to nothing when only its URL is given', () => {
    expect(newEndpoint.parse({ url })).toEqual({
      url,
      active: true,
      eventTypes: [],
      categories: [],
      policy: {},
      keepResponse: false,
      scheme: 'hmac',
      headers: [],
    });
  });

  it.each([
    '*',
    'pipeline.run.failed',
    'pipeline.*',
    'pipeline.run.*',
    'Order.*',
    'userCreated',
    'order-service.*',
    `a.${'b'.repeat(124)}.*`,
  ])('may subscribe to %s', async (pattern) => {
    expect(newEndpoint.safeParse({ url, eventTypes: [pattern] }).success).toBe(true);
    await expect(judgeAlone(rules, { eventTypes: [pattern] })).resolves.toBeUndefined();
  });

  it.each([
    '',
    '**',
    '.*',
    '*.*',
    'pipeline*',
    'pipeline.*.failed',
    '*.failed',
    '_pipeline.*',
    'pipeline run.*',
    'a..*',
  ])('may not subscribe to %j', async (pattern) => {
    const judging = judgeAlone(rules, { eventTypes: ['*', pattern] });
    await expect(judging).rejects.toMatchObject({ code: 'invalid_request', field: 'eventTypes.1' });
  });

  it.each<[string, object]>([
    ['no URL', { url: undefined }],
    ['an endless URL', { url: `https://a.example.com/${'a'.repeat(2_048)}` }],
    ['an endless description', { description: 'a'.repeat(1_001) }],
    ['the category of the test event', { categories: ['test'] }],
    ['a category that there is not', { categories: ['billing'] }],
    ['more than 200 types', { eventTypes: Array(201).fill('a.b') }],
    ['an id of its own', { id: 'ep_01KBV5ZP00AAAAAAAAAAAAAAAA' }],
    ['an organization of its own', { organizationId: 'org_2' }],
    ['versions of its own', { secretVersions: [] }],
    ['a scheme that there is not', { scheme: 'none' }],
    ['a secret that is none', { secret: 'secret' }],
    ['null for what is left out', { description: null }],
  ])('is refused with %s', (_what, given) => {
    expect(newEndpoint.safeParse({ url, ...given }).success).toBe(false);
  });
});

describe('a change of an endpoint', () => {
  it('says nothing of what it leaves out', () => {
    expect(endpointChange.parse({})).toEqual({});
  });

  it.each([
    { id: 'x' },
    { organizationId: 'org_2' },
    { secretVersions: [] },
    { createdAt: 'x' },
    // Rotated, never set.
    { secret: `whsec_${'A'.repeat(43)}=` },
  ])('cannot reach what is ours to set: %j', (change) => {
    expect(endpointChange.safeParse(change).success).toBe(false);
  });
});

describe('null in a change', () => {
  it('takes a field back to what a new endpoint has', () => {
    const names = ['active', 'eventTypes', 'categories', 'keepResponse', 'scheme', 'headers'] as const;
    const change = endpointChange.parse(Object.fromEntries(names.map((name) => [name, null])));
    const fresh = newEndpoint.parse({ url });
    for (const name of names) expect(change[name]).toEqual(fresh[name]);
  });

  it('takes no URL away: there is no other', () => {
    expect(endpointChange.safeParse({ url: null }).success).toBe(false);
  });
});

describe('liveVersions', () => {
  const createdAt = '2026-11-01T00:00:00.000Z';
  const expiring = (id: string, expiresAt: string) => ({ id, createdAt, expiresAt });
  const atNoon = Date.UTC(2026, 10, 23, 12);

  it('are the newest and those whose overlap has not passed, newest first', () => {
    const secretVersions = [
      { id: 'v3', createdAt },
      expiring('v2', '2026-11-23T12:00:00.001Z'),
      expiring('v1', '2026-11-23T11:00:00.000Z'),
    ];
    expect(liveVersions(anEndpoint({ secretVersions }), atNoon)).toEqual(['v3', 'v2']);
  });

  it('a version has ended in the very moment in which it expires', () => {
    const secretVersions = [{ id: 'v2', createdAt }, expiring('v1', '2026-11-23T12:00:00.000Z')];
    expect(liveVersions(anEndpoint({ secretVersions }), atNoon)).toEqual(['v2']);
  });

  it('are three at most', () => {
    const later = '2026-12-01T00:00:00.000Z';
    const secretVersions = [{ id: 'v4', createdAt }, ...['v3', 'v2', 'v1'].map((id) => expiring(id, later))];
    expect(liveVersions(anEndpoint({ secretVersions }), atNoon)).toEqual(['v4', 'v3', 'v2']);
  });
});
