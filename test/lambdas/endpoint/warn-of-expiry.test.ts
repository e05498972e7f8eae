import { describe, expect, it } from 'vitest';
import { dueWarning, warnOfExpiry } from '../../../lambdas/endpoint/warn-of-expiry.ts';
import type { WarnPorts } from '../../../lambdas/endpoint/warn-of-expiry.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { aClock, testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { memoryLog } from '../../fakes/log.ts';

const dayMs = 86_400_000;
const inDays = (days: number) => isoTime(testStartMs + days * dayMs);

describe('dueWarning', () => {
  it.each<[number, number | undefined, number | undefined]>([
    [31, undefined, undefined],
    [30.001, undefined, undefined],
    [30, undefined, 30],
    [29, undefined, 30],
    [29, 30, undefined],
    [7.001, 30, undefined],
    [7, 30, 7],
    [6, 7, undefined],
    [1.001, 7, undefined],
    [1, 7, 1],
    [0.5, 1, undefined],
    [-1, 1, undefined],
    // Uploaded late, or nobody looked for a while: the nearest, and only that.
    [5, undefined, 7],
    [0.5, undefined, 1],
    [0.5, 30, 1],
    [-1, 7, 1],
    [-1, undefined, 1],
  ])('%d days before the end, warned last at %s, is %s', (daysLeft, warned, expected) => {
    expect(dueWarning(inDays(daysLeft), warned, testStartMs)).toBe(expected);
  });
});

describe('the owner of a certificate', () => {
  it('is warned three times, whoever looks how often', async () => {
    const world = aWorld(40);
    for (let quarters = 0; quarters < 45 * 4; quarters += 1) {
      await warnOfExpiry(world.ports);
      world.clock.pass(dayMs / 4);
    }
    expect(world.warned.map(({ days, atDay }) => [days, atDay])).toEqual([
      [30, 10],
      [7, 33],
      [1, 39],
    ]);
  });

  it('is told which endpoint, whose certificate, and until when', async () => {
    const world = aWorld(6);
    await warnOfExpiry(world.ports);
    expect(world.published).toEqual([
      {
        source: 'tidings',
        detailType: 'endpoint.certificate_expiring',
        detail: {
          organizationId: 'org_1',
          endpointId: endpointIdOf('one'),
          subject: 'CN=one',
          notAfter: inDays(6),
          days: 7,
        },
      },
    ]);
  });

  it('is warned again of a new certificate, even one that ends as soon', async () => {
    const world = aWorld(6);
    await warnOfExpiry(world.ports);
    world.certificate.versionId = 'c-2';
    await warnOfExpiry(world.ports);
    expect(world.warned).toHaveLength(2);
  });

  it('is warned twice rather than never when the note of it is lost', async () => {
    const world = aWorld(6);
    const keep = () => Promise.reject(new Error('the table is away'));
    const broken = { ...world.ports, warnings: { ...world.ports.warnings, keep } };
    await expect(warnOfExpiry(broken)).rejects.toThrow('the table is away');
    await warnOfExpiry(world.ports);
    expect(world.warned).toHaveLength(2);
  });

  it('is warned the next time when the bus is away', async () => {
    const world = aWorld(6);
    const announce = () => Promise.reject(new Error('the bus is away'));
    await expect(warnOfExpiry({ ...world.ports, announce })).rejects.toThrow('the bus is away');
    await warnOfExpiry(world.ports);
    expect(world.warned).toHaveLength(1);
  });
});

function aWorld(endsInDays: number) {
  const clock = aClock();
  const { log, lines } = memoryLog();
  const notes = new Map<string, number>();
  const published: { source: string; detailType: string; detail: unknown }[] = [];
  const warned: { days: unknown; atDay: number }[] = [];
  const certificate = {
    versionId: 'c-1',
    subject: 'CN=one',
    issuer: 'CN=authority',
    serialNumber: '01',
    fingerprintSha256: '00',
    notBefore: inDays(-1),
    notAfter: inDays(endsInDays),
  };
  const ports: WarnPorts = {
    listExpiring: (before) => {
      const endpoint = anEndpoint({ clientCertificate: certificate });
      return Promise.resolve(certificate.notAfter < before ? [endpoint, anEndpoint({ name: 'two' })] : []);
    },
    warnings: {
      last: (endpointId, versionId) => Promise.resolve(notes.get(`${endpointId} ${versionId}`)),
      keep: (endpointId, versionId, days) =>
        Promise.resolve(void notes.set(`${endpointId} ${versionId}`, days)),
    },
    announce: ({ detail, ...entry }) => {
      const parsed = JSON.parse(detail) as { days: unknown };
      published.push({ ...entry, detail: parsed });
      warned.push({ days: parsed.days, atDay: Math.floor((clock.now() - testStartMs) / dayMs) });
      return Promise.resolve();
    },
    now: clock.now,
    log,
  };
  return { clock, ports, published, warned, certificate, lines };
}
