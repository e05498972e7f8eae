import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { builtInEventTypes } from '../../../lambdas/event/catalogue.ts';
import { aService, operator } from '../api/a-service.ts';
import type { Service } from '../api/a-service.ts';

const path = '/v1/event-types/billing.invoice.paid';
const definition = {
  category: 'governance',
  description: 'An invoice was paid.',
  example: { amount: '12.50' },
};

describe('the catalogue over HTTP', () => {
  it('lists what is built in and what was added, by name', async () => {
    const service = aService();
    await put(service, path, definition);
    const names = await namesIn(service);
    expect(names).toEqual(names.toSorted((a, b) => a.localeCompare(b)));
    expect(new Set(names)).toEqual(
      new Set([...builtInEventTypes.map(({ name }) => name), 'billing.invoice.paid']),
    );
  });

  it('an added type is shown as it was described, and says that it is not built in', async () => {
    const answer = await put(aService(), path, definition);
    expect(JSON.parse(answer.body)).toEqual({
      ...definition,
      name: 'billing.invoice.paid',
      isBuiltIn: false,
    });
  });

  it('an added type can be changed, and stands there once', async () => {
    const service = aService();
    await put(service, path, definition);
    await put(service, path, { ...definition, description: 'Paid in full.' });
    expect((await namesIn(service)).filter((name) => name === 'billing.invoice.paid')).toHaveLength(1);
  });

  it('a removed type is gone, and cannot be removed twice', async () => {
    const service = aService();
    await put(service, path, definition);
    const remove = () => service.ask({ method: 'DELETE', path, claims: operator });
    expect((await remove()).statusCode).toBe(204);
    expect(await namesIn(service)).not.toContain('billing.invoice.paid');
    expect((await remove()).statusCode).toBe(404);
  });

  it.each(builtInEventTypes)('$name is built in: nobody changes or removes it', async ({ name }) => {
    const service = aService();
    const builtIn = `/v1/event-types/${name}`;
    for (const answer of [
      await put(service, builtIn, definition),
      await service.ask({ method: 'DELETE', path: builtIn, claims: operator }),
    ]) {
      expect(JSON.parse(answer.body)).toMatchObject({
        status: 409,
        code: 'built_in_event_type',
        field: 'name',
      });
    }
    expect(await service.eventTypes.list()).toEqual([]);
  });

  it.each<[string, { where?: string; body: object }, string]>([
    ['a name of one word', { where: '/v1/event-types/invoice', body: definition }, 'name'],
    ['a name in capitals', { where: '/v1/event-types/Billing.Paid', body: definition }, 'name'],
    ['the category of the test event', { body: { ...definition, category: 'test' } }, 'category'],
    ['no description', { body: { category: 'governance' } }, 'description'],
    ['an example that is a list', { body: { ...definition, example: [] } }, 'example'],
    ['a name in its body', { body: { ...definition, name: 'a.b' } }, 'name'],
    ['a claim to be built in', { body: { ...definition, isBuiltIn: true } }, 'isBuiltIn'],
  ])('refuses %s', async (_what, { where = path, body }, field) => {
    const service = aService();
    expect(JSON.parse((await put(service, where, body)).body)).toMatchObject({ status: 400, field });
    expect(await service.eventTypes.list()).toEqual([]);
  });
});

function put(service: Service, path: string, body: object) {
  return service.ask({ method: 'PUT', path, body, claims: operator });
}

async function namesIn(service: Service): Promise<string[]> {
  const { body } = await service.ask({ path: '/v1/event-types' });
  return z
    .object({ data: z.array(z.object({ name: z.string() })) })
    .parse(JSON.parse(body))
    .data.map(({ name }) => name);
}
