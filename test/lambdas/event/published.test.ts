import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { detailBytesMax } from '../../../lambdas/event/body.ts';
import { occurredAt, readArrival, readContent } from '../../../lambdas/event/published.ts';
import type { Arrival, Content } from '../../../lambdas/event/published.ts';
import { parseJson } from '../../../lambdas/shared/json.ts';

const receivedAt = '2026-11-23T10:00:00Z';
const envelopeTimeMs = Date.parse(receivedAt);
/** A moment later the queue has it. */
const queuedAtMs = envelopeTimeMs + 40;

describe('readArrival', () => {
  it('reads the envelope that EventBridge hands to its target', () => {
    const detail = { organizationId: 'org_1', data: { runId: 77 } };
    expect(readArrival(aBusEvent({ detail }), queuedAtMs)).toEqual({
      busEventId: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa',
      organizationId: 'org_1',
      type: 'pipeline.run.failed',
      source: 'acme.pipelines',
      receivedAtMs: queuedAtMs,
      envelopeTimeMs,
      rawDetail: detail,
      detailText: JSON.stringify(detail),
    });
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['a text', '"event"'],
    ['a list', '[]'],
    ['no detail', aBusEvent({ detail: undefined })],
    ['no organization', aBusEvent({ detail: { data: {} } })],
    ['an organization that is no text', aBusEvent({ detail: { organizationId: 5 } })],
    ['an organization that would reach into other keys', aBusEvent({ detail: { organizationId: 'a#b' } })],
    ['no id', aBusEvent({ id: '' })],
    ['no time', aBusEvent({ time: undefined })],
  ])('tells nothing of an event whose organization cannot be told: %s', (_what, event) => {
    expect(readArrival(event, queuedAtMs)).toBeUndefined();
  });

  it('keeps the organization of an event whose content is wrong, so that it finds the event refused', () => {
    const detail = { organizationId: 'org_1', surprise: 1 };
    expect(readArrival(aBusEvent({ detail }), queuedAtMs)).toMatchObject({
      organizationId: 'org_1',
    });
  });

  it('endless names are cut, so that they fit into the ledger', () => {
    const endless = aBusEvent({ 'detail-type': 'x'.repeat(1_000), source: 'y'.repeat(1_000) });
    const arrival = readArrival(endless, queuedAtMs);
    expect(arrival).toMatchObject({ type: 'x'.repeat(128), source: 'y'.repeat(256) });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (event) => {
        readArrival(event, queuedAtMs);
      }),
    );
  });
});

describe('readContent', () => {
  it('an event without occurredAt happened when the bus took it', () => {
    expect(read({ data: { runId: 77 } })).toEqual({
      kind: 'valid',
      timeMs: envelopeTimeMs,
      resource: undefined,
      idempotencyKey: undefined,
      data: { runId: 77 },
      dataText: '{"runId":77}',
    });
  });

  it('an event happened when its producer says so, in whatever offset', () => {
    expect(read({ data: {}, occurredAt: '2026-11-20T12:30:00.5+02:00' })).toMatchObject({
      kind: 'valid',
      timeMs: Date.UTC(2026, 10, 20, 10, 30, 0, 500),
    });
  });

  it('every time that is taken is a whole number of milliseconds', () => {
    const time = fc
      .date({ min: new Date('1970-01-02T00:00:00Z'), max: new Date(queuedAtMs), noInvalidDate: true })
      .chain((date) =>
        fc
          .tuple(fc.stringMatching(/^(\.\d{1,12})?$/), fc.stringMatching(/^(Z|[+-](0\d|1[0-4]):[0-5]\d)$/))
          .map(([fraction, offset]) => `${date.toISOString().slice(0, 19)}${fraction}${offset}`),
      );
    fc.assert(
      fc.property(time, (text) => {
        expect(occurredAt.safeParse(text).success).toBe(true);
        expect(Number.isInteger(Date.parse(text))).toBe(true);
      }),
    );
  });

  it.each([
    ['a text', { occurredAt: 'yesterday', data: {} }, 'detail.occurredAt'],
    ['a day without time', { occurredAt: '2026-11-23', data: {} }, 'detail.occurredAt'],
    ['no such day', { occurredAt: '2026-02-30T10:00:00Z', data: {} }, 'detail.occurredAt'],
    ['a key without the time', { idempotencyKey: 'k', data: {} }, 'detail.idempotencyKey'],
    ['no data', {}, 'detail.data'],
    ['data that is a list', { data: [] }, 'detail.data'],
    ['data that is a text', { data: 'x' }, 'detail.data'],
    ['an empty resource', { resource: '', data: {} }, 'detail.resource'],
    ['an endless resource', { resource: 'r'.repeat(513), data: {} }, 'detail.resource'],
    [
      'an endless key',
      { idempotencyKey: 'k'.repeat(257), occurredAt: receivedAt, data: {} },
      'detail.idempotency',
    ],
    ['an unknown field', { surprise: 1, data: {} }, 'detail: has a field that is not known'],
  ])('is invalid, and names the field: %s', (_what, detail, field) => {
    const content = read(detail);
    expect(content).toMatchObject({ kind: 'invalid', reason: 'invalid_event' });
    expect(explanationOf(content)).toContain(field);
  });

  it('is explained in words of ours, as the API would say it', () => {
    const said = (detail: Record<string, unknown>) => explanationOf(read(detail));
    expect(said({ data: {}, occurredAt: '2026-13-01' })).toBe(
      'detail.occurredAt: must be a date and time with its zone, such as 2026-11-27T10:00:00Z',
    );
    expect(said({ data: {}, resource: 5 })).toBe('detail.resource: must be a string of 1 to 512 characters');
    expect(said({})).toBe('detail.data: is missing: must be an object');
  });

  it.each([
    ['occurredAt before 1970', { occurredAt: '1969-12-31T23:59:59Z' }, {}, 'detail.occurredAt'],
    ['occurredAt two days ahead', { occurredAt: '2026-11-25T10:00:00Z' }, {}, 'detail.occurredAt'],
    ['occurredAt that no date can hold', { occurredAt: '2026-11-23T23:59:59+23:59' }, {}, undefined],
    ['a Time before 1970', {}, { envelopeTimeMs: -1 }, 'Time'],
    ['a Time two days ahead', {}, { envelopeTimeMs: queuedAtMs + 2 * 86_400_000 }, 'Time'],
    ['a Time that is none', {}, { envelopeTimeMs: NaN }, 'Time'],
    ['any Time, if it says when it happened', { occurredAt: receivedAt }, { envelopeTimeMs: NaN }, undefined],
  ] as const)('of times: %s', (...[, detail, given, field]) => {
    const content = read({ data: {}, ...detail }, given);
    if (field === undefined) expect(content.kind).toBe('valid');
    else expect(content).toMatchObject({ kind: 'invalid', reason: 'invalid_time' });
    expect(explanationOf(content)).toContain(field ?? '');
  });

  it('never gives a time that no id can hold, whatever is said', () => {
    const said = fc.oneof(
      fc.string(),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    );
    fc.assert(
      fc.property(said, fc.double(), (occurredAt, envelopeTimeMs) => {
        const { timeMs } = read({ data: {}, occurredAt, idempotencyKey: 'k' }, { envelopeTimeMs });
        expect(timeMs >= 0 && timeMs <= queuedAtMs + 2 * 86_400_000).toBe(true);
      }),
    );
  });

  it('data that is a number is refused, also when no double can hold it', () => {
    const detail = parseJson('{"data":12345678901234567890}') as Record<string, unknown>;
    expect(read(detail)).toMatchObject({ kind: 'invalid', reason: 'invalid_event' });
  });

  it('every field of data reaches the receiver, whatever its name', () => {
    const data: unknown = JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":3,"":4}');
    const content = read({ data });
    expect(content.kind === 'valid' && JSON.stringify(content.data)).toBe(JSON.stringify(data));
  });

  it('takes 262144 bytes of detail, and not one more', () => {
    const rest = JSON.stringify({ organizationId: 'org_1', data: { text: '' } }).length;
    const text = 'a'.repeat(detailBytesMax - rest);
    expect(read({ data: { text } })).toMatchObject({ kind: 'valid' });
    expect(read({ data: { text: `${text}a` } })).toMatchObject({
      kind: 'invalid',
      reason: 'event_too_large',
      explanation: 'The detail has 262145 bytes; 262144 are allowed.',
    });
  });

  it('counts bytes, not letters', () => {
    expect(read({ data: { text: 'ü'.repeat(detailBytesMax / 2) } })).toMatchObject({
      reason: 'event_too_large',
    });
  });

  it('an explanation never quotes the event', () => {
    const planted = 'planted-payload';
    const details = [
      { data: planted },
      { data: {}, occurredAt: planted },
      { data: {}, [planted]: 1 },
      { data: {}, idempotencyKey: planted },
    ];
    for (const detail of details) expect(explanationOf(read(detail))).not.toContain(planted);
  });
});

function aBusEvent(changes: Record<string, unknown>): string {
  return JSON.stringify({
    version: '0',
    id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa',
    'detail-type': 'pipeline.run.failed',
    source: 'acme.pipelines',
    account: '123456789012',
    time: receivedAt,
    region: 'eu-west-1',
    resources: [],
    detail: { organizationId: 'org_1', data: {} },
    ...changes,
  });
}

function read(detail: Record<string, unknown>, given: Partial<Arrival> = {}): Content {
  const rawDetail = { organizationId: 'org_1', ...detail };
  const arrival: Arrival = {
    busEventId: 'b-1',
    organizationId: 'org_1',
    type: 'pipeline.run.failed',
    source: 'acme.pipelines',
    receivedAtMs: queuedAtMs,
    envelopeTimeMs,
    fingerprint: undefined,
    rawDetail,
    detailText: JSON.stringify(rawDetail),
    ...given,
  };
  return readContent(arrival);
}

function explanationOf(content: Content): string {
  return content.kind === 'invalid' ? content.explanation : '';
}
