import { describe, expect, it } from 'vitest';
import { anEventBody, aWorld, events, outcome, outcomeOf } from './a-world.ts';

describe('publishing', () => {
  it('puts the event on the bus as a producer would, with an id that is known at once', async () => {
    const world = aWorld();
    const body = { ...anEventBody, occurredAt: '2026-11-23T09:00:00Z', idempotencyKey: 'run-77' };
    const first = await world.ask({ method: 'POST', path: events, body });
    const again = await world.ask({ method: 'POST', path: events, body });
    expect(JSON.parse(first.body)).toEqual({ id: expect.stringMatching(/^evt_/) as unknown });
    expect(JSON.parse(again.body)).toEqual({ ...(JSON.parse(first.body) as object), duplicate: true });
    expect(world.published[0]).toMatchObject({ source: 'tidings.api', detailType: 'pipeline.run.failed' });
    expect(JSON.parse(world.published[0]?.detail ?? '')).toEqual({
      organizationId: 'org_1',
      data: { runId: 77 },
      occurredAt: '2026-11-23T09:00:00Z',
      idempotencyKey: 'run-77',
    });
  });

  it('without a key makes a new event every time', async () => {
    const world = aWorld();
    const first = await world.ask({ method: 'POST', path: events, body: anEventBody });
    const second = await world.ask({ method: 'POST', path: events, body: anEventBody });
    expect(second.body).not.toBe(first.body);
  });

  it('cannot put an event on the bus for another organization', async () => {
    const body = { ...anEventBody, organizationId: 'org_2' };
    expect(await outcome({ method: 'POST', path: events, body })).toBe('400 unknown_field');
  });

  it.each<[string, object, string]>([
    ['an unknown type', { type: 'pipeline.run.paused' }, '400 unknown_event_type'],
    ['the test event, which only the test sends', { type: 'webhook.test' }, '400 unknown_event_type'],
    ['a time two days ahead', { occurredAt: '2026-11-25T10:00:00Z' }, '400 invalid_time'],
    ['a time before 1970', { occurredAt: '1969-12-31T00:00:00Z' }, '400 invalid_time'],
    ['a key without a time', { idempotencyKey: 'run-77' }, '400 invalid_request'],
    ['data that is a list', { data: [] }, '400 invalid_request'],
    ['262 KB of data', { data: { text: 'a'.repeat(262_144) } }, '413 event_too_large'],
  ])('refuses %s, and nothing reaches the bus', async (_what, change, expected) => {
    const world = aWorld();
    const answer = await world.ask({ method: 'POST', path: events, body: { ...anEventBody, ...change } });
    expect(outcomeOf(answer)).toBe(expected);
    expect(world.published).toEqual([]);
  });

  it('passes numbers on that no double can hold', async () => {
    const world = aWorld();
    const body = '{"type":"pipeline.run.failed","data":{"n":12345678901234567890}}';
    await world.ask({ method: 'POST', path: events, body });
    expect(world.published[0]?.detail).toContain('"data":{"n":12345678901234567890}');
  });

  it('refuses data that is a number, also when no double can hold it', async () => {
    const body = '{"type":"pipeline.run.failed","data":12345678901234567890}';
    expect(await outcome({ method: 'POST', path: events, body })).toBe('400 invalid_request');
  });
});
