import { describe, expect, it } from 'vitest';
import { makeLimitRate } from '../../../lambdas/api/rate-limit.ts';
import type { RateLimitPorts } from '../../../lambdas/api/rate-limit.ts';
import { memoryTakeRequests } from '../../fakes/api-habits.ts';
import { aClock } from '../../fakes/clock.ts';
import { aService, operator } from './a-service.ts';

describe('how often a caller may ask', () => {
  it('is what the setting says, over all functions together, and another caller is not concerned', async () => {
    const clock = aClock();
    const take = memoryTakeRequests();
    const functions = [1, 2].map(() => makeLimitRate({ take, requestsPerMinute: 25, now: clock.now }));
    let served = 0;
    let refused = 0;
    for (let request = 0; request < 60; request += 1) {
      const limit = functions[request % 2];
      await limit?.('user_5').then(
        () => (served += 1),
        () => (refused += 1),
      );
    }
    expect([served, refused]).toEqual([25, 35]);
    await expect(functions[0]?.('user_6')).resolves.toBeUndefined();
    clock.pass(60_000);
    await expect(functions[0]?.('user_5')).resolves.toBeUndefined();
  });

  it('costs one write for ten requests', async () => {
    let writes = 0;
    const count = memoryTakeRequests();
    const take: RateLimitPorts['take'] = (...asked) => {
      writes += 1;
      return count(...asked);
    };
    const limit = makeLimitRate({ take, requestsPerMinute: 1_000, now: aClock().now });
    for (let request = 0; request < 100; request += 1) await limit('user_5');
    expect(writes).toBe(10);
  });

  it('is not refused because the count cannot be kept', async () => {
    const take = () => Promise.reject(new Error('away'));
    const limit = makeLimitRate({ take, requestsPerMinute: 1, now: aClock().now });
    for (let request = 0; request < 5; request += 1) await limit('user_5');
  });

  it('is refused with 429 and the seconds to wait; what is public is not counted', async () => {
    const { ask } = aService({ requestsPerMinute: 2 });
    const wish = { path: '/v1/event-types', claims: operator };
    const answers = [await ask(wish), await ask(wish), await ask(wish), await ask({ path: '/openapi.json' })];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429, 200]);
    expect(JSON.parse(answers[2]?.body ?? '')).toMatchObject({ code: 'too_many_requests' });
    expect(Number(answers[2]?.headers['retry-after'])).toSatisfy((wait: number) => wait >= 1 && wait <= 60);
  });
});
