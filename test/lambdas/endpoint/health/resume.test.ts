import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { HttpAnswer } from '../../../../lambdas/api/problem.ts';
import { well } from '../../../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../../../lambdas/endpoint/health/health.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { endpointIdOf } from '../../../fakes/ids.ts';
import { aWorld, create, endpoints, id, one, problemOf, url } from '../a-world.ts';

const at = '2026-11-22T00:00:00.000Z';
const later = '2026-11-23T12:00:00.000Z';

describe('an endpoint’s health', () => {
  const failing = { ...well, failures: 3, failingSince: at };
  const paused = { ...failing, pause: { since: at, until: later, seconds: 60, cause: 'failures' as const } };
  const off = { ...failing, off: { at: later, reason: 'failing' as const } };

  it.each<[string, Health, object]>([
    ['ok', well, { state: 'ok' }],
    ['failing', failing, { state: 'failing', failingSince: at }],
    ['paused', paused, { state: 'paused', failingSince: at, pausedUntil: later, reason: 'failures' }],
    ['disabled', off, { state: 'disabled', failingSince: at, disabledAt: later, reason: 'failing' }],
  ])('is shown as %s, of one and in the list, and nothing else of it', async (_, known, shown) => {
    const service = aWorld();
    await service.health.replace(id, well, known);
    expect(healthIn(await service.ask({ path: one }))).toEqual(shown);
    const { data } = listed.parse(JSON.parse((await service.ask({ path: endpoints })).body));
    expect(data.map(({ health }) => health)).toEqual([shown]);
  });

  it('of a new endpoint is ok', async () => {
    const service = aWorld();
    const made = await create(service, { url });
    expect(healthIn(await service.ask({ path: `${endpoints}/${made.id}` }))).toEqual({ state: 'ok' });
  });

  it.each([
    ['paused', paused],
    ['switched off', off],
  ])('is ok again when somebody resumes an endpoint that was %s, and people are told', async (_, known) => {
    const service = aWorld();
    await service.health.replace(id, well, known);
    const answer = await service.ask({ method: 'POST', path: `${one}/resume` });
    expect(answer.statusCode).toBe(200);
    expect(healthIn(answer)).toEqual({ state: 'ok' });
    expect(await service.health.readLatest(id)).toMatchObject({
      failures: 0,
      backSince: service.clock.iso(),
      graceUntil: isoTime(service.clock.now() + 86_400_000),
      unsaid: [],
    });
    expect(service.published).toEqual([
      {
        source: 'tidings',
        detailType: 'endpoint.resumed',
        detail: expect.stringContaining('by_hand') as unknown,
      },
    ]);
    expect(service.published[0]?.detail).toContain(id);
  });

  it('stays ok when somebody resumes an endpoint that was never stopped, and nobody is told', async () => {
    const service = aWorld();
    expect((await service.ask({ method: 'POST', path: `${one}/resume` })).statusCode).toBe(200);
    expect(service.published).toEqual([]);
    expect((await service.health.readLatest(id)).backSince).toBeUndefined();
  });

  it('is ok, and the endpoint active, when somebody resumes one that people had switched off', async () => {
    const service = aWorld();
    service.configuration.set(anEndpoint({ active: false }));
    await service.health.replace(id, well, off);
    const answer = await service.ask({ method: 'POST', path: `${one}/resume` });
    expect(JSON.parse(answer.body)).toMatchObject({ active: true, health: { state: 'ok' } });
    expect(await service.configuration.endpoints.get('org_1', id)).toMatchObject({ active: true });
  });

  it('is ok again when somebody switches the endpoint on by a change', async () => {
    const service = aWorld();
    await service.health.replace(id, well, off);
    await service.ask({ method: 'PATCH', path: one, body: { active: true } });
    expect(healthIn(await service.ask({ path: one }))).toEqual({ state: 'ok' });
  });

  it.each([{ description: 'still broken' }, { active: false }, {}])('is not changed by %j', async (body) => {
    const service = aWorld();
    await service.health.replace(id, well, off);
    await service.ask({ method: 'PATCH', path: one, body });
    expect(await service.health.readLatest(id)).toEqual({ ...off, version: 1 });
    expect(service.published).toEqual([]);
  });

  it('is resumed though deliveries end at the same moment', async () => {
    const service = aWorld();
    await service.health.replace(id, well, paused);
    const { replace } = service.health;
    let races = 2;
    service.health.replace = async (endpointId, before, after) => {
      if (races-- > 0) await replace(endpointId, before, { ...before, failures: before.failures + 1 });
      return replace(endpointId, before, after);
    };
    expect(healthIn(await service.ask({ method: 'POST', path: `${one}/resume` }))).toEqual({ state: 'ok' });
    expect(await service.health.readLatest(id)).toMatchObject({ failures: 0 });
  });

  it('is served by the time a change that switches it on is overtaken each time: the change is stored, and says so', async () => {
    const service = aWorld();
    service.configuration.set(anEndpoint({ active: false }));
    service.health.replace = () => Promise.resolve(false);
    const answer = await service.ask({ method: 'PATCH', path: one, body: { active: true } });
    expect(answer.statusCode).toBe(200);
    expect(JSON.parse((await service.ask({ path: one })).body)).toMatchObject({ active: true });
  });

  it('that is off, and cannot be resumed by a change, is a fault of ours: asked for again, it is resumed', async () => {
    const service = aWorld();
    await service.health.replace(id, well, off);
    const { replace } = service.health;
    service.health.replace = () => Promise.resolve(false);
    const wish = { method: 'PATCH', path: one, body: { active: true } } as const;
    expect((await service.ask(wish)).statusCode).toBe(500);
    service.health.replace = replace;
    expect((await service.ask(wish)).statusCode).toBe(200);
    expect(healthIn(await service.ask({ path: one }))).toEqual({ state: 'ok' });
  });

  it('that is overtaken each time is refused, and may be asked for again', async () => {
    const service = aWorld();
    service.health.replace = () => Promise.resolve(false);
    const answer = await service.ask({ method: 'POST', path: `${one}/resume` });
    expect(problemOf(answer)).toMatchObject({ status: 409, code: 'changed_meanwhile' });
  });

  // The endpoint was on by then, and whoever asked was told that nothing had changed.
  it('that is overtaken each time is shown as it is when the endpoint was switched on by that: this is stored', async () => {
    const service = aWorld();
    service.configuration.set(anEndpoint({ active: false }));
    await service.health.replace(id, well, failing);
    service.health.replace = () => Promise.resolve(false);
    const answer = await service.ask({ method: 'POST', path: `${one}/resume` });
    expect(answer.statusCode).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ active: true, health: { state: 'failing' } });
    expect(await service.configuration.endpoints.get('org_1', id)).toMatchObject({ active: true });
  });

  it('that is off, and cannot be resumed though the endpoint was switched on, is a fault of ours as well', async () => {
    const service = aWorld();
    service.configuration.set(anEndpoint({ active: false }));
    await service.health.replace(id, well, off);
    const { replace } = service.health;
    service.health.replace = () => Promise.resolve(false);
    const wish = { method: 'POST', path: `${one}/resume` } as const;
    expect((await service.ask(wish)).statusCode).toBe(500);
    service.health.replace = replace;
    expect(healthIn(await service.ask(wish))).toEqual({ state: 'ok' });
  });

  // DynamoDB had stored it, the SDK wrote it once more and met its own write, and the last try was taken for overtaken.
  it('is resumed though each write is taken for overtaken by itself', async () => {
    const service = aWorld();
    await service.health.replace(id, well, paused);
    const { replace } = service.health;
    service.health.replace = async (endpointId, before, after) => {
      await replace(endpointId, before, after);
      return replace(endpointId, before, after);
    };
    const answer = await service.ask({ method: 'POST', path: `${one}/resume` });
    expect([answer.statusCode, healthIn(answer)]).toEqual([200, { state: 'ok' }]);
  });

  it('is resumed though each write is overtaken by itself, and a delivery ends after that', async () => {
    const service = aWorld();
    await service.health.replace(id, well, paused);
    const { replace } = service.health;
    service.health.replace = async (endpointId, before, after) => {
      await replace(endpointId, before, after);
      const there = await service.health.readLatest(endpointId);
      await replace(endpointId, there, { ...there, failures: 1, failingSince: at });
      return false;
    };
    const answer = await service.ask({ method: 'POST', path: `${one}/resume` });
    expect([answer.statusCode, healthIn(answer)]).toEqual([200, { state: 'failing', failingSince: at }]);
  });

  it('is resumed though the bus takes nothing; it is said by whoever delivers next', async () => {
    const service = aWorld({}, { publish: () => Promise.reject(new Error('the bus is away')) });
    await service.health.replace(id, well, paused);
    expect((await service.ask({ method: 'POST', path: `${one}/resume` })).statusCode).toBe(200);
    expect((await service.health.readLatest(id)).unsaid).toMatchObject([
      { kind: 'resumed', reason: 'by_hand' },
    ]);
  });

  it('that is resumed has what waits for it brought back at once', async () => {
    const service = aWorld();
    const backlog = { turn: 4, pass: 1, dueAt: later };
    await service.health.replace(id, well, { ...paused, backlog });
    expect((await service.ask({ method: 'POST', path: `${one}/resume` })).statusCode).toBe(200);
    expect(service.drained).toEqual([[expect.objectContaining({ id, organizationId: 'org_1' }), 4, 0]]);
    expect((await service.health.readLatest(id)).backlog).toEqual({ ...backlog, dueAt: service.clock.iso() });
  });

  it('of another organization’s endpoint cannot be resumed', async () => {
    const service = aWorld();
    service.configuration.set(anEndpoint({ name: 'theirs', organizationId: 'org_2' }));
    await service.health.replace(endpointIdOf('theirs'), well, off);
    const path = `${endpoints}/${endpointIdOf('theirs')}/resume`;
    expect((await service.ask({ method: 'POST', path })).statusCode).toBe(404);
    expect(await service.health.readLatest(endpointIdOf('theirs'))).toEqual({ ...off, version: 1 });
  });

  it('cannot be changed by who may only read', async () => {
    const service = aWorld();
    await service.health.replace(id, well, off);
    const claims = { organizationId: 'org_1', scope: 'webhooks:read' };
    expect((await service.ask({ method: 'POST', path: `${one}/resume`, claims })).statusCode).toBe(403);
    expect(await service.health.readLatest(id)).toEqual({ ...off, version: 1 });
  });

  it('is forgotten with the endpoint, and with no other', async () => {
    const service = aWorld();
    const other = endpointIdOf('two');
    service.configuration.set(anEndpoint({ name: 'two' }));
    for (const endpointId of [id, other]) await service.health.replace(endpointId, well, off);
    await service.ask({ method: 'DELETE', path: one });
    // A day later, as DynamoDB does it.
    service.clock.pass(2 * 86_400_000);
    service.tables.sweep(service.clock.now());
    expect(await service.health.readLatest(id)).toEqual(well);
    expect(await service.health.readLatest(other)).toEqual({ ...off, version: 1 });
  });
});

const withHealth = z.object({ health: z.unknown() });
const listed = z.object({ data: z.array(withHealth) });

function healthIn({ body }: HttpAnswer): unknown {
  return withHealth.parse(JSON.parse(body)).health;
}
