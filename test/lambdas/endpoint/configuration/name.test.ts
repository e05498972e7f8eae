import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Service } from '../../api/a-service.ts';
import { aWorld } from './a-configuration.ts';

const path = '/v1/organizations/org_1/endpoints';
const url = 'https://a.example.com/hook';

async function make(service: Service, name: string): Promise<string> {
  const answer = await service.ask({ method: 'POST', path, body: { url, name } });
  return z.object({ id: z.string(), name: z.literal(name) }).parse(JSON.parse(answer.body)).id;
}

describe('the name of an endpoint', () => {
  it('is of one endpoint of an organization, and shown', async () => {
    const service = aWorld();
    const id = await make(service, 'billing');
    const answers = [
      await service.ask({ method: 'POST', path, body: { url, name: 'billing' } }),
      await service.ask({
        method: 'PATCH',
        path: `${path}/${await make(service, 'audit')}`,
        body: { name: 'billing' },
      }),
    ];
    for (const { body } of answers) {
      expect(JSON.parse(body)).toMatchObject({ status: 409, code: 'name_taken', field: 'name' });
    }
    expect(JSON.parse((await service.ask({ path: `${path}/${id}` })).body)).toMatchObject({
      name: 'billing',
    });
    expect(await service.configuration.endpoints.count('org_1')).toBe(2);
  });

  it('can be given again to the endpoint that has it, changed, and taken away; then it is free', async () => {
    const service = aWorld();
    const one = `${path}/${await make(service, 'billing')}`;
    const change = (body: object) => service.ask({ method: 'PATCH', path: one, body });
    expect((await change({ name: 'billing' })).statusCode).toBe(200);
    expect(JSON.parse((await change({ description: 'kept' })).body)).toMatchObject({ name: 'billing' });
    expect(JSON.parse((await change({ name: 'invoices' })).body)).toMatchObject({ name: 'invoices' });
    expect(JSON.parse((await change({ name: null })).body)).not.toHaveProperty('name');
    await make(service, 'billing');
    await make(service, 'invoices');
  });

  it.each(['', 'With Spaces', 'UPPER', '-a', 'x'.repeat(65)])('is not %j', async (name) => {
    const answer = await aWorld().ask({ method: 'POST', path, body: { url, name } });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 400, field: 'name' });
  });
});
