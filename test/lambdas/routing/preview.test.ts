import { describe, expect, it } from 'vitest';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import type { Organization } from '../../../lambdas/organization/organization.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { aService } from '../api/a-service.ts';

const path = '/v1/organizations/org_1/events/preview';
const at = '2026-11-23T00:00:00.000Z';

interface Verdict {
  readonly receives: boolean;
}

async function aWorld(given: Partial<Organization> = {}) {
  const service = aService();
  const { configuration, health } = service;
  configuration.setOrganization(anOrganization(given));
  configuration.set(anEndpoint({ name: 'all', eventTypes: ['*'] }));
  configuration.set(anEndpoint({ name: 'prefix', eventTypes: ['security.*', 'pipeline.run.*'] }));
  configuration.set(anEndpoint({ name: 'category', eventTypes: [], categories: ['pipeline_execution'] }));
  configuration.set(anEndpoint({ name: 'other', eventTypes: ['security.*'] }));
  configuration.set(anEndpoint({ name: 'off', eventTypes: ['pipeline.run.failed'], active: false }));
  configuration.set(anEndpoint({ name: 'gone', eventTypes: ['*'] }));
  await health.replace(endpointIdOf('gone'), well, { ...well, off: { at, reason: 'gone' } });
  return service;
}

async function preview(given?: Partial<Organization>) {
  const { ask } = await aWorld(given);
  const { body } = await ask({ method: 'POST', path, body: { type: 'pipeline.run.failed' } });
  const { data } = JSON.parse(body) as { data: ({ endpointId: string; url: string } & Verdict)[] };
  return new Map(data.map((one) => [one.endpointId, one]));
}

describe('a preview of an event', () => {
  it('says who would receive it, and by which part of a subscription', async () => {
    const shown = await preview();
    expect(shown.get(endpointIdOf('all'))).toMatchObject({ receives: true, subscribedBy: '*' });
    expect(shown.get(endpointIdOf('prefix'))).toMatchObject({
      receives: true,
      subscribedBy: 'pipeline.run.*',
    });
    expect(shown.get(endpointIdOf('category'))).toMatchObject({
      receives: true,
      subscribedBy: 'pipeline_execution',
    });
  });

  it('says who would not, and why', async () => {
    const shown = await preview();
    expect(shown.get(endpointIdOf('other'))).toMatchObject({ receives: false, reason: 'unsubscribed' });
    const off = { receives: false, subscribedBy: 'pipeline.run.failed', reason: 'endpoint_disabled' };
    expect(shown.get(endpointIdOf('off'))).toMatchObject(off);
    expect(shown.get(endpointIdOf('gone'))).toMatchObject({
      receives: false,
      subscribedBy: '*',
      reason: 'gone',
    });
  });

  it('says of an organization whose plan has lapsed that nobody would', async () => {
    const shown = await preview({ plan: 'team', lapsedAt: at });
    expect(shown.get(endpointIdOf('all'))).toMatchObject({
      receives: false,
      subscribedBy: '*',
      reason: 'not_entitled',
    });
    expect([...shown.values()].some(({ receives }) => receives)).toBe(false);
  });

  it('sends and stores nothing', async () => {
    const { ask, sent, published, ledger } = await aWorld();
    await ask({ method: 'POST', path, body: { type: 'pipeline.run.failed' } });
    expect([...sent, ...published]).toEqual([]);
    expect((await ledger.events.list('org_1', { limit: 10 })).data).toEqual([]);
  });

  it.each(['no.such.type', 'webhook.test'])('refuses %s, which nobody may publish', async (type) => {
    const { ask } = await aWorld();
    const { statusCode, body } = await ask({ method: 'POST', path, body: { type } });
    expect(statusCode).toBe(400);
    expect(JSON.parse(body)).toMatchObject({ code: 'unknown_event_type', field: 'type' });
  });
});
