import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anEntry, startTidings, until } from './tidings.ts';
import type { Tidings } from './tidings.ts';

/** Whatever is published, attempted or signed later than this after an answer of the API goes by it (README). */
const promisedMs = 1_000;

let tidings: Tidings;
let organization: string;
let count = 0;

beforeAll(async () => {
  tidings = await startTidings();
  organization = await tidings.makeOrganization('org_at_once');
  // Its requests say when an event has been routed and delivered to all.
  await tidings.makeEndpoint(organization, '/witness');
});

afterAll(async () => {
  await tidings.stop();
});

const requestsTo = (path: string, name: string) =>
  tidings.received.filter((one) => one.path === path && String(one.body).includes(`"name":"${name}"`));

/** Publishes an event, and waits until the witness has it. @returns its name */
async function published(type?: string): Promise<string> {
  const name = `event-${(count += 1)}`;
  const detail = { data: { name } };
  await tidings.publish(anEntry(organization, type === undefined ? { detail } : { type, detail }));
  await until(`the witness of ${name}`, () => requestsTo('/witness', name).length > 0);
  return name;
}

const promised = () => new Promise((resolve) => setTimeout(resolve, promisedMs));

async function changed(method: string, path: string, body?: unknown) {
  const answer = await tidings.call(method, `/v1/organizations/${organization}${path}`, { body });
  expect(answer.status).toBeLessThan(300);
  await promised();
  return answer.body;
}

/** What a delivery to an endpoint has come to, when an event has gone out. */
async function requestsAfter(path: string): Promise<number> {
  const name = await published();
  const { body } = await tidings.call('GET', `/v1/organizations/${organization}/events`);
  const [event] = body.data;
  await until('the ends of its deliveries', async () => {
    const found = await tidings.call('GET', `/v1/organizations/${organization}/events/${event?.id ?? ''}`);
    return !found.text.includes('"retrying"') && !found.text.includes('"queued"');
  });
  return requestsTo(path, name).length;
}

/** An endpoint that every function has met. */
async function aKnownEndpoint(path: string): Promise<string> {
  const id = await tidings.makeEndpoint(organization, path);
  await promised();
  const name = await published();
  await until(`a request to ${path}`, () => requestsTo(path, name).length > 0);
  return id;
}

describe('a moment after the answer of the API', () => {
  // The first script that everybody writes; the functions have routed an event less than half a second before.
  it('an event goes to the endpoint that its preview has promised', async () => {
    await published();
    for (let again = 1; again <= 3; again += 1) {
      const path = `/at-the-moment-${again}`;
      await published();
      await tidings.makeEndpoint(organization, path);
      const name = await published();
      await until(`a request to ${path}`, () => requestsTo(path, name).length > 0);
    }
  });
});

describe('a second after the answer of the API', () => {
  it('an endpoint that was made receives', async () => {
    await published();
    await tidings.makeEndpoint(organization, '/made');
    await promised();
    const name = await published();
    await until('the new endpoint', () => requestsTo('/made', name).length > 0);
  });

  it.each([
    ['deleted', 'DELETE', undefined],
    ['switched off', 'PATCH', { active: false }],
    ['subscribed to nothing', 'PATCH', { eventTypes: [] }],
  ])('an endpoint that was %s receives nothing more', async (what, method, body) => {
    const path = `/${what.replaceAll(' ', '-')}`;
    const id = await aKnownEndpoint(path);
    await changed(method, `/endpoints/${id}`, body);
    expect(await requestsAfter(path)).toBe(0);
  });

  it('an endpoint that was deleted gets no further attempt of what had failed', async () => {
    const policy = {
      timeoutSeconds: 5,
      retry: { initialBackoffSeconds: 3, multiplier: 1, maximumAttempts: 3 },
    };
    const id = await tidings.makeEndpoint(organization, '/failing', { policy });
    tidings.receiver.behave('/failing', () => 500);
    await promised();
    const name = await published();
    await until('the first attempt', () => requestsTo('/failing', name).length > 0);
    await changed('DELETE', `/endpoints/${id}`);
    // Three seconds, the jitter, and the time of the machine.
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(requestsTo('/failing', name)).toHaveLength(1);
  });

  it('requests go to the URL that was set', async () => {
    const id = await aKnownEndpoint('/before');
    await changed('PATCH', `/endpoints/${id}`, { url: `${tidings.receiver.url}/after` });
    const name = await published();
    await until('a request to the new URL', () => requestsTo('/after', name).length > 0);
    expect(requestsTo('/before', name)).toEqual([]);
  });

  it('only the secret signs that a rotation without overlap has made', async () => {
    const id = await aKnownEndpoint('/rotated');
    const { secret } = await changed('POST', `/endpoints/${id}/secret/rotate`, { overlapSeconds: 0 });
    tidings.planted.add(secret);
    tidings.receiver.trust('/rotated', secret);
    const name = await published();
    const [request] = await until('a request', () => {
      const found = requestsTo('/rotated', name);
      return found.length > 0 && found;
    });
    expect(request?.isVerified).toBe(true);
    expect(String(request?.signature).split(' ')).toHaveLength(1);
  });

  it('an event of a type that was defined is delivered', async () => {
    await published();
    const type = 'atonce.thing.made';
    const body = { category: 'governance', description: 'Made a moment ago.' };
    const answer = await tidings.call('PUT', `/v1/event-types/${type}`, { body });
    expect(answer.status).toBeLessThan(300);
    await promised();
    await published(type);
  });

  it('an organization whose plan has lapsed receives nothing', async () => {
    const id = await tidings.makeOrganization('org_lapsing');
    await tidings.makeEndpoint(id, '/lapsing');
    await promised();
    await tidings.publish(anEntry(id, { detail: { data: { name: 'before' } } }));
    await until('a request before', () => requestsTo('/lapsing', 'before').length > 0);
    await tidings.call('PUT', `/v1/organizations/${id}`, { body: { plan: 'free' } });
    await promised();
    await tidings.publish(anEntry(id, { detail: { data: { name: 'after' } } }));
    await until('the event that is skipped', async () => {
      const { body } = await tidings.call('GET', `/v1/organizations/${id}/events`);
      const path = `/v1/organizations/${id}/events/${body.data[0]?.id ?? ''}`;
      return (await tidings.call('GET', path)).text.includes('not_entitled');
    });
    expect(requestsTo('/lapsing', 'after')).toEqual([]);
  });
});
