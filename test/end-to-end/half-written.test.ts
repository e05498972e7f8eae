import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failures, makeFailingCalls } from './failing-calls.ts';
import type { Plan } from './failing-calls.ts';
import { openAccount } from './halves.ts';
import type { Account } from './halves.ts';
import { operations } from './operations.ts';
import type { Operation } from './operations.ts';
import { startTidings } from './tidings.ts';
import type { ApiAnswer, Tidings } from './tidings.ts';

const calls = makeFailingCalls();
let tidings: Tidings;
let account: Account;
const organizationIds: string[] = [];

const twoDaysMs = 2 * 86_400_000;

beforeAll(async () => {
  // Nobody takes anything from a queue: what the API has sent is still there to be counted, and no call is another's.
  tidings = await startTidings({ ...calls.hooks, concurrencyMax: 0 });
  account = openAccount(tidings.runtime);
  // Keys that are made now are two days old to the functions, which run on real time.
  tidings.clock.skew(-twoDaysMs);
});
afterAll(async () => {
  account.client.destroy();
  await tidings.stop();
});

type Play = Plan & { readonly organizationId: string };

/** Looks whether the halves of everything are there; what lacks is said together with the call that failed. */
async function expectWhole(play: Play): Promise<void> {
  const halves = await account.halves(play.organizationId);
  expect.soft({ ...play, halves }).toEqual({ ...play, halves: [] });
}

/** A call that failed is our fault; one that succeeded in spite of it is none at all. */
function expectNoBlame(play: Play, { status, text }: ApiAnswer): void {
  if (status < 300) return;
  const problem: unknown = JSON.parse(text);
  const ours = { status: 500, code: 'internal_error' };
  expect.soft({ play, problem }).toMatchObject({ play, problem: ours });
}

/** In an organization of its own one call fails; gives the answer, or nothing when there are not so many calls. */
async function play(operation: Operation, plan: Plan): Promise<ApiAnswer | undefined> {
  const organizationId = await tidings.makeOrganization(`org_${String(organizationIds.length)}`);
  organizationIds.push(organizationId);
  const played = { ...plan, organizationId };
  const { endsByRepeating, thenAlso, sendsTo } = operation;
  const work = await operation.prepare({ tidings, account }, organizationId);
  await expectWhole(played);
  const [recoveries, messages] = [account.messagesIn('recovery'), account.messagesIn(sendsTo ?? 'events')];
  const { result, hasFailed } = await calls.attempt(plan, work);
  if (!hasFailed) return undefined;
  expectNoBlame(played, result);
  if (!endsByRepeating) await expectWhole(played);
  const again = await work();
  if (again.status !== thenAlso)
    expect.soft({ played, isDone: again.status < 300 }).toEqual({ played, isDone: true });
  await expectWhole(played);
  // A recovery without its message would be said to be running for ever.
  const begun = await account.jobsOf(organizationId);
  expect(account.messagesIn('recovery') - recoveries).toBeGreaterThanOrEqual(begun);
  if (sendsTo !== undefined) expect(account.messagesIn(sendsTo)).toBeGreaterThan(messages);
  return result;
}

describe.each(failures)('an operation of which one call of AWS %s, each in turn', (failure) => {
  it.each(operations)('$name leaves nothing half-written, and can be done again', async (operation) => {
    const statuses: number[] = [];
    for (let number = 1; ; number += 1) {
      const answer = await play(operation, { number, failure });
      if (answer === undefined) break;
      statuses.push(answer.status);
    }
    // It has read something, written it down in the audit or sent it, and done it.
    expect(statuses.length).toBeGreaterThan(2);
    if (failure === 'is refused') expect(statuses).toContain(500);
  });
});

describe('a key that was made and never written down', () => {
  it('is found by the daily function, and no other key is', async () => {
    const all = await Promise.all(organizationIds.map((id) => account.keysOf(id)));
    const withKeys = organizationIds.filter((_, index) => all[index]?.length !== 0);
    const keys = async () => {
      const now = await Promise.all(withKeys.map((id) => account.keysOf(id)));
      return new Set(now.flat().map(({ isNamed, state }) => `${isNamed ? 'named' : 'unnamed'}, ${state}`));
    };
    expect(await keys()).toEqual(new Set(['named, Enabled', 'unnamed, Enabled']));
    const longAgo = new Date(Date.now() - 2 * twoDaysMs).toISOString();
    await Promise.all(withKeys.map((id) => account.register(id, longAgo)));
    await tidings.runtime.runSchedules();
    expect(await keys()).toEqual(new Set(['named, Enabled', 'unnamed, PendingDeletion']));
    expect(tidings.logLines.filter((line) => line.includes('signing_key.orphan_destroyed'))).not.toEqual([]);
  });
});

it('no line of any log holds a secret or a token', () => {
  expect(tidings.leaks()).toEqual([]);
});
