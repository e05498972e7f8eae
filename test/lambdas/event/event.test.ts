import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyOf } from '../../../lambdas/event/event.ts';

const envelope = {
  id: 'evt_01KBV5ZP00AAAAAAAAAAAAAAAA',
  type: 'pipeline.run.failed',
  timestamp: '2026-11-23T10:00:00.000Z',
  organizationId: 'org_1',
  resource: 'pipeline/42',
};

describe('bodyOf', () => {
  it('is the envelope that the design promises', () => {
    expect(Buffer.from(bodyOf({ ...envelope, dataText: '{"runId":77}' })).toString()).toBe(
      '{"id":"evt_01KBV5ZP00AAAAAAAAAAAAAAAA","type":"pipeline.run.failed",' +
        '"timestamp":"2026-11-23T10:00:00.000Z","organizationId":"org_1","resource":"pipeline/42",' +
        '"data":{"runId":77}}',
    );
  });

  it('has no resource when the producer named none', () => {
    const text = Buffer.from(bodyOf({ ...envelope, resource: undefined, dataText: '{}' })).toString();
    expect(JSON.parse(text)).not.toHaveProperty('resource');
  });

  it('carries any data unchanged', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const body = Buffer.from(bodyOf({ ...envelope, dataText: text })).toString();
        expect(JSON.parse(body)).toMatchObject({ id: envelope.id });
        expect(body.endsWith(`"data":${text}}`)).toBe(true);
      }),
    );
  });

  it('is UTF-8 without a byte order mark', () => {
    const body = bodyOf({ ...envelope, dataText: JSON.stringify({ text: '🎉\ud800' }) });
    expect(body[0]).toBe('{'.charCodeAt(0));
    expect(new TextDecoder('utf-8', { fatal: true }).decode(body)).toContain('🎉\\ud800');
  });
});
