import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subscribableCategories } from '../../../../lambdas/event/event-type.ts';
import { aWorld, configuration, exportOf, importInto, stateOf } from './a-configuration.ts';

const policy = fc.record(
  {
    timeoutSeconds: fc.integer({ min: 1, max: 30 }),
    retry: fc.record({ multiplier: fc.double({ min: 1, max: 2, noNaN: true }) }, { requiredKeys: [] }),
    circuitBreaker: fc.constantFrom(null, {}, { failures: 3 }),
    disableAfterHours: fc.constantFrom(null, 24),
    rateLimitPerSecond: fc.constantFrom(null, 0.5),
  },
  { requiredKeys: [] },
);

const header = fc.record({
  name: fc.constantFrom('x-a', 'X-B', 'authorization'),
  value: fc.constantFrom('1', 'a b'),
});

const endpoint = fc.record(
  {
    name: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/),
    url: fc.constantFrom('https://a.example.com', 'https://A.example.com:443/x?y'),
    description: fc.string({ maxLength: 20 }),
    active: fc.boolean(),
    eventTypes: fc.subarray(['*', 'pipeline.*', 'pipeline.run.failed']),
    categories: fc.subarray([...subscribableCategories]),
    policy,
    keepResponse: fc.boolean(),
    scheme: fc.constantFrom('hmac', 'jwt'),
    headers: fc.uniqueArray(header, { selector: ({ name }) => name, maxLength: 3 }),
  },
  { requiredKeys: ['name', 'url'] },
);

const endpoints = fc.uniqueArray(endpoint, { selector: ({ name }) => name, maxLength: 5 });

describe('a configuration', () => {
  it('that was exported and comes back as it is changes nothing, and writes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(endpoints, policy, async (wanted, defaults) => {
        const service = aWorld();
        await importInto(service, { ...configuration(...wanted), policy: defaults });
        const before = await stateOf(service);
        const { document, etag } = await exportOf(service);
        service.clock.pass(1_000);
        const again = await importInto(service, document, { ifMatch: etag, query: { prune: 'true' } });
        expect(new Set(again.endpoints.map(({ outcome }) => outcome))).toEqual(
          new Set(wanted.length === 0 ? [] : ['unchanged']),
        );
        expect(again.policyChanges).toEqual([]);
        expect(await stateOf(service)).toBe(before);
      }),
      { numRuns: 100 },
    );
  });

  it('that was changed comes back to what an earlier export says', async () => {
    await fc.assert(
      fc.asyncProperty(endpoints, endpoints, policy, async (...[first, second, defaults]) => {
        const service = aWorld();
        // Without secret headers: nobody knows their earlier values any more.
        const open = (all: typeof first) =>
          all.map((one) => ({
            ...one,
            headers: one.headers?.filter(({ name }) => name !== 'authorization') ?? [],
          }));
        await importInto(service, { ...configuration(...open(first)), policy: defaults });
        const { document } = await exportOf(service);
        await importInto(service, { ...configuration(...open(second)), policy: {} });
        await importInto(service, document, { query: { prune: 'true' } });
        expect((await exportOf(service)).document).toEqual(document);
      }),
      { numRuns: 100 },
    );
  });
});
