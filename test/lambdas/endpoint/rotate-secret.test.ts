import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { liveVersions } from '../../../lambdas/endpoint/endpoint.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { keyOf } from '../../../lambdas/signing/secret.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { secretOf } from '../../fakes/secrets.ts';
import { aService } from '../api/a-service.ts';
import type { Service } from '../api/a-service.ts';

const path = `/v1/organizations/org_1/endpoints/${endpointIdOf('one')}`;
const hourMs = 3_600_000;

describe('a new secret', () => {
  it('is shown in this answer and in no later one', async () => {
    const service = aWorld();
    const { secret } = await rotate(service);
    expect(keyOf(secret)).toHaveLength(32);
    const later = [
      await service.ask({ path }),
      await service.ask({ path: '/v1/organizations/org_1/endpoints' }),
    ];
    const said = JSON.stringify([later, service.lines, service.published]);
    expect(said).not.toContain(secret.slice('whsec_'.length));
  });

  it('signs first, beside the old one for the overlap, and then alone', async () => {
    const service = aWorld();
    const { secret } = await rotate(service, { overlapSeconds: 3_600 });
    service.clock.pass(hourMs - 1);
    expect(await signsNow(service)).toEqual([secret, secretOf('one-v1')]);
    service.clock.pass(1);
    expect(await signsNow(service)).toEqual([secret]);
  });

  it('stands beside the old one for a day, unless it says otherwise', async () => {
    const service = aWorld();
    const { secretVersions } = await rotate(service, undefined);
    expect(secretVersions.map(({ expiresAt }) => expiresAt)).toEqual([
      undefined,
      isoTime(service.clock.now() + 24 * hourMs),
    ]);
  });

  it('with an overlap of 0 ends all others at once, and leaves none of their values behind', async () => {
    const service = aWorld();
    await rotate(service);
    await rotate(service);
    const { secret } = await rotate(service, { overlapSeconds: 0 });
    expect(await signsNow(service)).toEqual([secret]);
    expect(keptIn(service)).toEqual([secret]);
  });

  it('never prolongs what an earlier rotation has ended', async () => {
    const service = aWorld();
    const { secret: second } = await rotate(service, { overlapSeconds: 60 });
    const { secret: third } = await rotate(service, { overlapSeconds: 3_600 });
    service.clock.pass(60_000);
    expect(await signsNow(service)).toEqual([third, second]);
  });

  it('is refused while three are live, and nothing changes; once one has expired it is made', async () => {
    const service = aWorld();
    await rotate(service, { overlapSeconds: 60 });
    await rotate(service, { overlapSeconds: 3_600 });
    const before = [await signsNow(service), keptIn(service)];
    const answer = await service.ask({ method: 'POST', path: `${path}/secret/rotate`, body: {} });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 409, code: 'too_many_secrets' });
    expect([await signsNow(service), keptIn(service)]).toEqual(before);
    service.clock.pass(60_000);
    await rotate(service);
    expect(await signsNow(service)).toHaveLength(3);
    // The one that had expired is not kept.
    expect(keptIn(service)).toHaveLength(3);
  });

  it('is told to the operator, without the secret', async () => {
    const service = aWorld();
    await rotate(service, { overlapSeconds: 60 });
    expect(service.published).toMatchObject([{ source: 'tidings', detailType: 'secret.rotated' }]);
    expect(JSON.parse(service.published[0]?.detail ?? '')).toEqual({
      organizationId: 'org_1',
      endpointId: endpointIdOf('one'),
      overlapSeconds: 60,
    });
  });

  // Secrets Manager takes twenty labels: after as many lost races no secret could be rotated any more.
  it('of a rotation that lost a race is not kept', async () => {
    const configuration = memoryConfiguration();
    const replace = () => Promise.resolve(false);
    const service = aWorld({ ...configuration, endpoints: { ...configuration.endpoints, replace } });
    const answer = await service.ask({ method: 'POST', path: `${path}/secret/rotate`, body: {} });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 409, code: 'changed_meanwhile' });
    expect(keptIn(service)).toEqual([secretOf('one-v1')]);
  });
});

describe('a secret of the caller’s own', () => {
  const ofBytes = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64');

  it.each([24, 32, 64])(
    'of %d bytes is taken, and shown in the one form that receivers know',
    async (bytes) => {
      for (const secret of [`whsec_${ofBytes(bytes)}`, ofBytes(bytes)]) {
        const service = aWorld();
        expect((await rotate(service, { secret })).secret).toBe(`whsec_${ofBytes(bytes)}`);
        expect((await signsNow(service))[0]).toBe(`whsec_${ofBytes(bytes)}`);
      }
    },
  );

  it.each([
    ['23 bytes', `whsec_${ofBytes(23)}`],
    ['65 bytes', `whsec_${ofBytes(65)}`],
    ['nothing', ''],
    ['only the prefix', 'whsec_'],
    ['another prefix', `whsk_${ofBytes(32)}`],
    ['no base64', `whsec_${'!'.repeat(44)}`],
    ['no padding', `whsec_${ofBytes(32).replace('=', '')}`],
    ['a line break', `whsec_${ofBytes(32)}\n`],
    ['a number', 5],
  ])('%s is refused, not quoted, and nothing changes', async (_what, secret) => {
    const service = aWorld();
    const before = [await signsNow(service), keptIn(service)];
    const creation = { url: 'https://a.example.com/', secret };
    const answers = [
      await service.ask({ method: 'POST', path: `${path}/secret/rotate`, body: { secret } }),
      await service.ask({ method: 'POST', path: '/v1/organizations/org_1/endpoints', body: creation }),
    ];
    for (const { body } of answers) {
      expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'invalid_request', field: 'secret' });
      if (String(secret).length > 8) expect(body).not.toContain(String(secret).slice(6));
    }
    expect([await signsNow(service), keptIn(service)]).toEqual(before);
  });

  it('signs for a new endpoint from its first delivery on', async () => {
    const service = aWorld();
    const body = { url: 'https://a.example.com/', secret: ofBytes(24) };
    const made = await service.ask({ method: 'POST', path: '/v1/organizations/org_1/endpoints', body });
    const { id, secret } = z.looseObject({ id: z.string(), secret: z.string() }).parse(JSON.parse(made.body));
    expect(secret).toBe(`whsec_${ofBytes(24)}`);
    expect([...(service.secrets.secrets.get(`org_1/${id}/signing`)?.values() ?? [])]).toEqual([secret]);
  });
});

const rotated = z.strictObject({
  secret: z.string(),
  secretVersions: z.array(z.object({ id: z.string(), expiresAt: z.string().optional() })),
});

async function rotate(service: Service, body: unknown = {}): Promise<z.output<typeof rotated>> {
  service.clock.pass(1);
  const answer = await service.ask({ method: 'POST', path: `${path}/secret/rotate`, body });
  return rotated.parse(JSON.parse(answer.body));
}

/** The secrets that sign at this moment, the newest first. */
async function signsNow({ configuration, clock, secrets }: Service): Promise<string[]> {
  const stored = await configuration.endpoints.get('org_1', endpointIdOf('one'));
  const ids = stored === undefined ? [] : liveVersions(stored, clock.now());
  const name = { organizationId: 'org_1', endpointId: endpointIdOf('one'), part: 'signing' } as const;
  return Promise.all(ids.map((id) => secrets.read(name, id)));
}

function keptIn({ secrets }: Service): string[] {
  return [...(secrets.secrets.get(`org_1/${endpointIdOf('one')}/signing`)?.values() ?? [])];
}

function aWorld(configuration = memoryConfiguration()): Service {
  const service = aService({ configuration });
  service.configuration.setOrganization(anOrganization());
  service.configuration.set(anEndpoint());
  const name = { organizationId: 'org_1', endpointId: endpointIdOf('one'), part: 'signing' } as const;
  void service.secrets.put(name, { id: 'one-v1', value: secretOf('one-v1') });
  return service;
}
