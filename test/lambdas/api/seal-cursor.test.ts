import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openCursor, sealCursor } from '../../../lambdas/api/seal-cursor.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { administrator, aService } from './a-service.ts';

const key = new Uint8Array(32).fill(1);
const list = { path: '/v1/organizations/org_1/events', query: { status: 'refused', limit: '2' } };

describe('a sealed cursor', () => {
  const sealed = sealCursor(key, list, 'cGxhY2U');

  it('is taken back by its list, with pages of another size', () => {
    const query = { limit: '250', cursor: sealed, status: 'refused' };
    expect(openCursor(key, { ...list, query }, sealed)).toBe('cGxhY2U');
  });

  it.each<[string, () => string]>([
    [
      'of another organization',
      () => openCursor(key, { ...list, path: list.path.replace('1', '2') }, sealed),
    ],
    ['with another filter', () => openCursor(key, { ...list, query: { status: 'accepted' } }, sealed)],
    ['without its filter', () => openCursor(key, { ...list, query: {} }, sealed)],
    ['of another deployment', () => openCursor(new Uint8Array(32), list, sealed)],
    ['with another place', () => openCursor(key, list, sealed.replace('cGxhY2U', 'cGxhY2V'))],
    ['with another seal', () => openCursor(key, list, `cGxhY2U.${'A'.repeat(22)}`)],
    ['without a seal', () => openCursor(key, list, 'cGxhY2U')],
    ['with something behind it', () => openCursor(key, list, `${sealed}.x`)],
    ['that is empty', () => openCursor(key, list, '')],
  ])('is refused %s', (_what, open) => {
    expect(open).toThrow(expect.objectContaining({ code: 'invalid_cursor', field: 'cursor' }));
  });
});

describe('a list of the API', () => {
  it('is walked by its cursors, and another organization cannot use them', async () => {
    const configuration = memoryConfiguration();
    for (const id of ['org_1', 'org_2']) configuration.setOrganization(anOrganization({ id }));
    for (const name of ['one', 'two', 'three']) configuration.set(anEndpoint({ name }));
    const { ask } = aService({ configuration });
    const path = '/v1/organizations/org_1/endpoints';
    const page = z.object({ data: z.array(z.unknown()), nextCursor: z.string().nullable() });
    const first = page.parse(JSON.parse((await ask({ path, query: { limit: '2' } })).body));
    const cursor = first.nextCursor ?? '';
    const second = page.parse(JSON.parse((await ask({ path, query: { limit: '2', cursor } })).body));
    expect([first.data.length, second.data.length, second.nextCursor]).toEqual([2, 1, null]);
    const foreign = await ask({
      path: path.replace('org_1', 'org_2'),
      query: { cursor },
      claims: { ...administrator, organizationId: 'org_2' },
    });
    expect(JSON.parse(foreign.body)).toMatchObject({ status: 400, code: 'invalid_cursor' });
  });

  it('has a cursor, and where there is no list it is a parameter like any other', async () => {
    const configuration = memoryConfiguration();
    configuration.setOrganization(anOrganization());
    const { ask } = aService({ configuration });
    const query = { cursor: 'x' };
    const answer = await ask({ path: '/v1/organizations/org_1', query });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'unknown_field', field: 'cursor' });
    expect((await ask({ path: '/openapi.json', query, claims: null })).statusCode).toBe(200);
  });
});
