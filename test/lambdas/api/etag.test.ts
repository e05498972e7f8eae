import { describe, expect, it } from 'vitest';
import { etagOf, etagOfAnswer, mustMatch } from '../../../lambdas/shared/etag.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { aService, operator } from './a-service.ts';
import type { Service, Wish } from './a-service.ts';

const organization = '/v1/organizations/org_1';
const endpoint = `${organization}/endpoints/${endpointIdOf('one')}`;

function aWorld(): Service {
  const service = aService();
  service.configuration.setOrganization(anOrganization());
  service.configuration.set(anEndpoint());
  return service;
}

describe('an ETag', () => {
  it('is of what is said, and not of how it is ordered', () => {
    expect(etagOf({ a: 1, b: [{ c: 2, d: 3 }] })).toBe(etagOf({ b: [{ d: 3, c: 2 }], a: 1 }));
    expect(etagOf({ a: 1 })).not.toBe(etagOf({ a: 2 }));
    expect(etagOf([1, 2])).not.toBe(etagOf([2, 1]));
    expect(etagOf({})).toMatch(/^"[\w-]{22}"$/);
  });

  it.each([
    ['nothing was asked', undefined, true],
    ['it is the same', '"x", {tag}', true],
    ['anything goes', '*', true],
    ['it is another', '"x"', false],
    ['it is of an answer that has more in it than was set', '{more}', true],
  ])('matches or not: %s', (_, header, isMatch) => {
    const shown = { a: 1 };
    const check = () => {
      mustMatch(
        {
          ifMatch: header
            ?.replace('{tag}', etagOf(shown))
            .replace('{more}', etagOfAnswer({ ...shown, b: 2 }, shown)),
        },
        shown,
      );
    };
    if (isMatch) expect(check).not.toThrow();
    else expect(check).toThrow('somebody else has changed it');
  });

  it.each([
    ['weak', `W/${etagOf({ a: 1 })}`, 'weak tag'],
    ['without quotes', etagOf({ a: 1 }).slice(1, -1), 'with its quotes'],
    ['empty', '', 'with its quotes'],
  ])('that is %s could never match, and nobody else is blamed for it', (_, ifMatch, sentence) => {
    const check = () => {
      mustMatch({ ifMatch }, { a: 1 });
    };
    expect(check).toThrow(sentence);
    expect(check).not.toThrow('somebody else');
    expect(check).toThrow(expect.objectContaining({ status: 412, code: 'changed_meanwhile' }) as Error);
  });

  it.each(['*', '"x"'])('of nothing matches nothing, and that is said: %s', (ifMatch) => {
    expect(() => {
      mustMatch({ ifMatch }, undefined);
    }).toThrow('There is nothing here');
  });
});

describe.each<[string, string, Wish]>([
  ['an endpoint', endpoint, { method: 'PATCH', path: endpoint, body: { description: 'mine' } }],
  [
    'an organization',
    organization,
    { method: 'PATCH', path: organization, body: { policy: { timeoutSeconds: 9 } } },
  ],
])('%s that two administrators change', (_, path, change) => {
  it('keeps what the first one has set, and the second one is told', async () => {
    const service = aWorld();
    const seen = (await service.ask({ path })).headers['etag'] ?? '';
    const first = await service.ask({ ...change, ifMatch: seen });
    expect(first.statusCode).toBe(200);
    const second = await service.ask({ ...change, ifMatch: seen });
    expect(second.statusCode).toBe(412);
    expect(JSON.parse(second.body)).toMatchObject({ code: 'changed_meanwhile' });
    // The answer to a change has the tag for the next one.
    const third = await service.ask({ ...change, ifMatch: first.headers['etag'] ?? '' });
    expect(third.statusCode).toBe(200);
    const shown = (await service.ask({ path })).headers['etag'] ?? '';
    expect((await service.ask({ ...change, ifMatch: shown })).statusCode).toBe(200);
  });

  it('is changed without a tag, too', async () => {
    expect((await aWorld().ask(change)).statusCode).toBe(200);
  });
});

it('an endpoint that begins to fail is another answer, and nobody has changed it', async () => {
  const service = aWorld();
  const { headers } = await service.ask({ path: endpoint });
  await service.health.replace(endpointIdOf('one'), well, {
    ...well,
    failures: 3,
    failingSince: '2026-11-23T00:00:00Z',
  });
  const after = await service.ask({ path: endpoint });
  expect(JSON.parse(after.body)).toMatchObject({ health: { state: 'failing' } });
  expect(after.headers['etag']).not.toBe(headers['etag']);
  const change = { method: 'PATCH', path: endpoint, body: { description: 'mine' } } as const;
  expect((await service.ask({ ...change, ifMatch: headers['etag'] ?? '' })).statusCode).toBe(200);
});

it('an endpoint that is made can be changed by the tag of that answer', async () => {
  const service = aWorld();
  const path = `${organization}/endpoints`;
  const made = await service.ask({ method: 'POST', path, body: { url: 'https://new.example.com/hook' } });
  const { id } = JSON.parse(made.body) as { id: string };
  const change = { method: 'PATCH', path: `${path}/${id}`, body: { description: 'mine' } } as const;
  expect((await service.ask({ ...change, ifMatch: made.headers['etag'] ?? '' })).statusCode).toBe(200);
});

it('an endpoint is not removed by somebody who has not seen its latest change', async () => {
  const service = aWorld();
  expect((await service.ask({ method: 'DELETE', path: endpoint, ifMatch: '"old"' })).statusCode).toBe(412);
  const { headers } = await service.ask({ path: endpoint });
  const ifMatch = headers['etag'] ?? '';
  expect((await service.ask({ method: 'DELETE', path: endpoint, ifMatch })).statusCode).toBe(204);
});

it('an organization that is not there matches no tag', async () => {
  const request: Wish = {
    method: 'PUT',
    path: '/v1/organizations/org_9',
    body: { plan: 'team' },
    claims: operator,
  };
  expect((await aWorld().ask({ ...request, ifMatch: '*' })).statusCode).toBe(412);
  expect((await aWorld().ask(request)).statusCode).toBe(201);
});
