import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  endpointId,
  eventId,
  jobId,
  newEndpointId,
  newJobId,
  organizationId,
} from '../../../lambdas/shared/identifier.ts';

describe('organizationId', () => {
  it.each(['o', 'org_1', 'ACME-42', '7', 'a'.repeat(64)])('takes %j', (id) => {
    expect(organizationId.parse(id)).toBe(id);
  });

  // Each of these would mean something else in a key, a queue's group, a secret's name or a path.
  it.each(['', '_a', '-a', 'a#b', 'a/b', 'a.b', 'a b', 'a\n', '../a', 'ä', '%41', 'a'.repeat(65)])(
    'refuses %j',
    (id) => {
      expect(organizationId.safeParse(id).success).toBe(false);
    },
  );
});

describe('endpointId, eventId and jobId', () => {
  it('take what this deployment makes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.uint8Array({ minLength: 10, maxLength: 32 }), (nowMs, bytes) => {
        const id = newEndpointId(nowMs, () => bytes);
        expect(endpointId.parse(id)).toBe(id);
        expect(eventId.parse(id.replace('ep_', 'evt_'))).toBe(id.replace('ep_', 'evt_'));
        expect(jobId.parse(newJobId(nowMs, () => bytes))).toBe(id.replace('ep_', 'job_'));
      }),
    );
  });

  const letters = '01KBV5ZP00AAAAAAAAAAAAAAAA';
  it.each([letters, `evt_${letters}`, `ep_${letters}A`, `ep_${letters.toLowerCase()}`, `ep_${letters}\n`])(
    '%j is no endpoint id',
    (id) => {
      expect(endpointId.safeParse(id).success).toBe(false);
    },
  );

  it('an event id holds no dot, which would let a receiver read another id out of what is signed', () => {
    expect(eventId.safeParse(`evt_${letters.slice(0, 25)}.`).success).toBe(false);
  });

  it('endpoint ids sort by the time of creation', () => {
    const late = newEndpointId(2, () => new Uint8Array(10));
    const early = newEndpointId(1, () => new Uint8Array(10).fill(255));
    expect([late, early].toSorted()).toEqual([early, late]);
  });
});
