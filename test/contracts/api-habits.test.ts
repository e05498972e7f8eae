import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../lambdas/api/audit/entry.ts';
import { makeAuditStore } from '../../lambdas/api/audit/store.ts';
import type { KeptRequest } from '../../lambdas/api/once.ts';
import { makeReadCursorKey, makeRequestStore, makeTakeRequests } from '../../lambdas/api/store.ts';
import { memoryAudit, memoryRequests, memoryTakeRequests } from '../fakes/api-habits.ts';
import type { AuditStore } from '../fakes/api-habits.ts';
import { testStartMs } from '../fakes/clock.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import { startTables } from './tables.ts';
import type { Tables } from './tables.ts';

let tables: Tables;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.close());

let nowMs = testStartMs;
const now = () => nowMs;
let organization = 0;
let organizationId = '';
beforeEach(() => {
  nowMs = testStartMs;
  organizationId = `org_${String((organization += 1))}`;
});

interface Habits {
  readonly audit: AuditStore;
  readonly requests: ReturnType<typeof makeRequestStore>;
  readonly take: ReturnType<typeof makeTakeRequests>;
}

const stores: [string, () => Habits][] = [
  ['memory', () => ({ audit: memoryAudit(), requests: memoryRequests(now), take: memoryTakeRequests() })],
  ['table', () => over(memoryTables({ now }))],
  ['DynamoDB', () => over(tables)],
];

function over({ client, config, ledger }: Tables): Habits {
  return {
    audit: makeAuditStore(client, config),
    requests: makeRequestStore(client, ledger, now),
    take: makeTakeRequests(client, ledger),
  };
}

const request: KeptRequest = {
  id: 'id-1',
  fingerprint: 'f-1',
  token: 't-1',
  begunAtMs: testStartMs,
  expiresAt: testStartMs / 1000 + 60,
};

/** The `number`th entry, a second after the one before. */
function anEntry(number: number): AuditEntry {
  return {
    id: `aud_01KBV5ZP0${String(number)}AAAAAAAAAAAAAAAA`,
    at: new Date(testStartMs + number * 1_000).toISOString(),
    by: { subject: 'user_5', isOperator: false },
    operation: 'updateEndpoint',
    target: {},
    requestId: `request-${String(number)}`,
    outcome: 'unknown',
    before: { deep: [1, { big: '12345678901234567890' }] },
  };
}

describe.each(stores)('%s', (_name, make) => {
  let habits: Habits;
  beforeEach(() => {
    habits = make();
  });

  test('a request begins once; whoever comes later gets what the first one left', async () => {
    const { requests } = habits;
    expect(await requests.begin(organizationId, request)).toBeUndefined();
    const copy = { ...request, token: 't-2' };
    expect(await requests.begin(organizationId, copy)).toEqual(request);
    await requests.keep(organizationId, { ...request, answer: 'sealed' });
    expect(await requests.begin(organizationId, copy)).toEqual({ ...request, answer: 'sealed' });
    expect(await requests.begin('org_other', copy)).toBeUndefined();
  });

  test('a request that was forgotten, or whose time has passed, begins anew', async () => {
    const { requests } = habits;
    await requests.begin(organizationId, request);
    await requests.forget(organizationId, request);
    const again = { ...request, token: 'again' };
    expect(await requests.begin(organizationId, again)).toEqual({ ...request, isFree: true });
    expect(await requests.begin(organizationId, request)).toEqual(again);
    nowMs = testStartMs + 60_000;
    const later = { ...request, token: 't-2', expiresAt: request.expiresAt + 60 };
    expect(await requests.begin(organizationId, later)).toBeUndefined();
  });

  test('a request is forgotten by nobody but itself', async () => {
    const { requests } = habits;
    const answered = { ...request, answer: 'sealed' };
    await requests.keep(organizationId, answered);
    const copy = { ...request, token: 't-2' };
    await requests.forget(organizationId, copy);
    expect(await requests.begin(organizationId, copy)).toEqual(answered);
    await requests.forget(`${organizationId}_other`, request);
    expect(await requests.begin(`${organizationId}_other`, request)).toBeUndefined();
  });

  test('requests are counted for each caller and each minute', async () => {
    const { take } = habits;
    const subject = `${organizationId} ü#${'x'.repeat(3_000)}`;
    expect(await take(subject, 7, 10)).toBe(10);
    expect(await take(subject, 7, 10)).toBe(20);
    expect(await take(subject, 8, 10)).toBe(10);
    expect(await take(`${subject}.`, 7, 10)).toBe(10);
  });

  test('the audit is listed newest first, page by page, and only its organization’s', async () => {
    const { audit } = habits;
    for (const number of [1, 2, 3]) await audit.put(organizationId, anEntry(number));
    await audit.put('org_other', anEntry(4));
    const first = await audit.list(organizationId, { limit: 2 });
    expect(first.data).toEqual([anEntry(3), anEntry(2)]);
    const rest = await audit.list(organizationId, { limit: 2, cursor: first.nextCursor ?? '' });
    expect(rest).toEqual({ data: [anEntry(1)], nextCursor: null });
  });

  test('an entry is written over with its outcome, and removed', async () => {
    const { audit } = habits;
    const done = { ...anEntry(1), outcome: 'done' as const, after: { active: false } };
    await audit.put(organizationId, anEntry(1));
    await audit.put(organizationId, done);
    expect((await audit.list(organizationId, { limit: 2 })).data).toEqual([done]);
    await audit.remove(organizationId, done.id);
    expect((await audit.list(organizationId, { limit: 2 })).data).toEqual([]);
  });
});

describe('the key that seals cursors', () => {
  test('is made once, whoever asks first', async () => {
    let byte = 0;
    const make = () =>
      makeReadCursorKey(tables.client, tables.config, () => new Uint8Array(32).fill((byte += 1)));
    const keys = await Promise.all([make()(), make()(), make()()]);
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
    expect(Buffer.from(await make()())).toEqual(keys[0]);
  });
});
