import { describe, expect, test, vi } from 'vitest';
import { eventListQuery } from '../../../../lambdas/event/event-list.ts';
import type { PublishedEntry } from '../../../../lambdas/event/publication/publish-once.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { anOrganization } from '../../../fakes/an-organization.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import { aService } from '../../api/a-service.ts';

const path = '/v1/organizations/org_1/events';
const same = { occurredAt: isoTime(testStartMs - 60_000), idempotencyKey: 'run-77' };
const failed = { type: 'pipeline.run.failed', data: { amount: 10 }, ...same };

function aWorld({ publish }: { publish?: (entry: PublishedEntry) => Promise<void> } = {}) {
  const service = aService(publish === undefined ? {} : { publish });
  service.configuration.setOrganization(anOrganization());
  const post = async (body: object, idempotencyKey?: string) => {
    const key = idempotencyKey === undefined ? {} : { idempotencyKey };
    const answer = await service.ask({ method: 'POST', path, body, ...key });
    return { status: answer.statusCode, body: JSON.parse(answer.body) as { id: string } };
  };
  const get = async (id: string) => {
    const answer = await service.ask({ path: `${path}/${id}` });
    return { status: answer.statusCode, body: JSON.parse(answer.body) as object };
  };
  return { ...service, post, get };
}

describe('an event that the API has taken', () => {
  test('is found under the id of the answer at once, as queued: it was 404 until it was routed', async () => {
    const { post, get, ask } = aWorld();
    const { status, body } = await post({ type: failed.type, data: failed.data, resource: 'pipeline/42' });
    expect(status).toBe(202);
    const queued = { id: body.id, status: 'queued', type: failed.type, resource: 'pipeline/42' };
    expect(await get(body.id)).toMatchObject({
      status: 200,
      body: { ...queued, receivedAt: isoTime(testStartMs), deliveries: [], skipped: [] },
    });
    const list = await ask({ path, query: { status: 'queued' } });
    expect(JSON.parse(list.body)).toMatchObject({ data: [queued] });
    expect(list.body).not.toContain('fingerprint');
  });

  test('has the id of its key and time, which the bus is told too', async () => {
    const { post, published } = aWorld();
    await post(failed);
    const details = published.map(({ source, detail }) => ({ source, ...(JSON.parse(detail) as object) }));
    expect(details).toEqual([{ source: 'tidings.api', organizationId: 'org_1', data: failed.data, ...same }]);
  });

  test('costs one write', async () => {
    const { post, tables } = aWorld();
    const send = vi.spyOn(tables.client, 'send');
    await post(failed);
    const ofEvents = send.mock.calls.map(([command]) => command.input).filter((input) => 'Item' in input);
    expect(ofEvents).toHaveLength(1);
  });

  test('is lost when nothing has come of it in 14 days, and says so', async () => {
    const { post, get, clock } = aWorld();
    const { body } = await post(failed);
    clock.pass(14 * 86_400_000);
    expect((await get(body.id)).body).toMatchObject({ status: 'lost' });
    expect(eventListQuery.safeParse({ status: 'lost' }).success).toBe(true);
  });
});

describe('the same idempotencyKey and time', () => {
  test.each([
    ['other data', { data: { amount: 99 } }],
    ['another type', { type: 'pipeline.run.succeeded' }],
    ['a resource', { resource: 'pipeline/42' }],
  ])('with %s is a conflict: it was answered 202, and vanished', async (_what, change) => {
    const { post, published } = aWorld();
    const { body } = await post(failed);
    const conflict = await post({ ...failed, ...change });
    expect(conflict).toMatchObject({
      status: 409,
      body: { code: 'idempotency_conflict', field: 'idempotencyKey' },
    });
    expect(JSON.stringify(conflict.body)).toContain(body.id);
    expect(published).toHaveLength(1);
  });

  test('with the same content is a duplicate, and the answer says so', async () => {
    const { post, clock } = aWorld();
    const first = await post(failed);
    expect(first.body).toEqual({ id: first.body.id });
    clock.pass(1);
    const again = { ...failed, data: { amount: 10.0 } };
    expect((await post(again)).body).toEqual({ id: first.body.id, duplicate: true });
  });

  test('of an event that was routed is not published again', async () => {
    const { post, published, ledger } = aWorld();
    const { body } = await post(failed);
    const queued = await ledger.events.get('org_1', body.id);
    if (queued === undefined) throw new Error('it should be queued');
    await ledger.events.add({ ...queued, status: 'accepted' });
    expect((await post(failed)).body).toEqual({ id: body.id, duplicate: true });
    expect((await post({ ...failed, data: {} })).status).toBe(409);
    expect(published).toHaveLength(1);
  });

  test('of an event that was refused is free: mended, it is published', async () => {
    const { post, get, published, ledger } = aWorld();
    const { body } = await post(failed);
    const queued = await ledger.events.get('org_1', body.id);
    if (queued === undefined) throw new Error('it should be queued');
    await ledger.events.add({ ...queued, status: 'refused', reason: 'schema_violation' });
    expect((await post({ ...failed, data: { amount: 11 } })).body).toEqual({ id: body.id });
    expect((await get(body.id)).body).toMatchObject({ status: 'queued' });
    expect(published).toHaveLength(2);
  });

  test('at another time is another event', async () => {
    const { post } = aWorld();
    const first = await post(failed);
    const later = await post({ ...failed, data: {}, occurredAt: isoTime(testStartMs) });
    expect(later.status).toBe(202);
    expect(later.body.id).not.toBe(first.body.id);
  });
});

describe('when the bus does not take an event', () => {
  test('its publisher is answered by an error, the event says why, and the same request publishes it', async () => {
    let isAway = true;
    const { post, ask } = aWorld({
      publish: () => (isAway ? Promise.reject(new Error('throttled')) : Promise.resolve()),
    });
    expect((await post(failed)).status).toBe(500);
    const list = async () => (JSON.parse((await ask({ path })).body) as { data: object[] }).data;
    expect(await list()).toMatchObject([{ status: 'refused', reason: 'not_published' }]);
    isAway = false;
    expect((await post(failed)).body).not.toHaveProperty('duplicate');
    expect(await list()).toMatchObject([{ status: 'queued' }]);
  });

  test('and whoever should say so dies, the event stays queued, and the same request publishes it', async () => {
    const { post, published, ledger } = aWorld();
    const { body } = await post(failed);
    published.splice(0);
    expect(await ledger.events.get('org_1', body.id)).toMatchObject({ status: 'queued' });
    expect((await post(failed)).status).toBe(202);
    expect(published).toHaveLength(1);
  });
});

describe('two requests that publish the same at once', () => {
  test('in the same millisecond are one event and its duplicate: both were told that they were the first', async () => {
    const { post } = aWorld();
    const both = await Promise.all([post(failed), post(failed)]);
    expect(both.map(({ body }) => Object.keys(body).length).toSorted()).toEqual([1, 2]);
    expect(new Set(both.map(({ body }) => body.id)).size).toBe(1);
  });

  test('of which the bus takes one: it is not shown as refused, and its key is not free', async () => {
    let copies = 0;
    const fail = Promise.withResolvers<undefined>();
    const { post, get } = aWorld({
      publish: () => ((copies += 1) === 1 ? fail.promise : Promise.resolve()),
    });
    const first = post(failed);
    await vi.waitUntil(() => copies === 1);
    const { status, body } = await post(failed);
    expect(status).toBe(202);
    fail.reject(new Error('throttled'));
    expect((await first).status).toBe(500);
    expect((await get(body.id)).body).toMatchObject({ status: 'queued' });
    expect((await post({ ...failed, data: {} })).status).toBe(409);
  });
});

describe('an Idempotency-Key without an idempotencyKey', () => {
  const said = { type: failed.type, data: failed.data };
  const key = 'a-key-of-a-caller-1';

  test('has the event keep its id when the answer of the bus was lost, and the request is sent again', async () => {
    const taken: PublishedEntry[] = [];
    const { post, clock } = aWorld({
      publish: (entry) =>
        taken.push(entry) === 1 ? Promise.reject(new Error('no answer')) : Promise.resolve(),
    });
    expect((await post(said, key)).status).toBe(500);
    clock.pass(5_000);
    expect((await post(said, key)).status).toBe(202);
    expect(taken).toHaveLength(2);
    expect(taken[1]).toEqual(taken[0]);
  });

  test('is one caller’s, and of one request: with another, or with other content after a fault, it is another event', async () => {
    const away = { is: true };
    const { post, ask, clock } = aWorld({
      publish: () => (away.is ? Promise.reject(new Error('throttled')) : Promise.resolve()),
    });
    await post(said, key);
    away.is = false;
    clock.pass(5_000);
    const other = await post({ ...said, data: {} }, key);
    const claims = { sub: 'user_9', organizationId: 'org_1', scope: 'webhooks:read webhooks:write' };
    const theirs = await ask({
      method: 'POST',
      path,
      body: { ...said, data: {} },
      idempotencyKey: key,
      claims,
    });
    const list = JSON.parse((await ask({ path })).body) as { data: { id: string; status: string }[] };
    const ids = [other.body.id, (JSON.parse(theirs.body) as { id: string }).id];
    expect(new Set([...ids, ...list.data.map(({ id }) => id)]).size).toBe(3);
    expect(list.data.map(({ status }) => status).toSorted()).toEqual(['queued', 'queued', 'refused']);
  });
});

describe('a time that no event can have', () => {
  test.each(['1960-01-01T00:00:00Z', '2099-01-01T00:00:00Z', isoTime(testStartMs + 86_400_001)])(
    '%s is refused at once, and says which field',
    async (occurredAt) => {
      const { post } = aWorld();
      const answer = await post({ ...failed, occurredAt });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_time', field: 'occurredAt' } });
      const detail = 'lies before 1970 or more than a day ahead';
      expect(answer.body).toMatchObject({ detail: `occurredAt: ${detail}`, errors: [{ detail }] });
    },
  );

  test('a day ahead is taken', async () => {
    const { post } = aWorld();
    expect((await post({ ...failed, occurredAt: isoTime(testStartMs + 86_400_000) })).status).toBe(202);
  });
});
