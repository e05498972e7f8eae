import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { fromApiGateway, verify } from '../../verify/verify.ts';
import type { ApiGatewayEvent } from '../../verify/verify.ts';
import { body, event, hmacHeaders, now, outcomeOf, secret } from './a-webhook.ts';

const headers = hmacHeaders();
const options = { secret, now };
const mapHeaders = <Value>(change: (name: string, value: string) => [string, Value]) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => change(name, value)));

describe('headers', () => {
  it.each([
    ['in lower case', headers],
    ['in upper case', mapHeaders((name, value) => [name.toUpperCase(), value])],
    ['as lists of one', mapHeaders((name, value) => [name, [value]])],
    ['of fetch', new Headers(headers)],
    ['in a Map', new Map(Object.entries(headers))],
  ])('%s are read', async (_what, given) => {
    const request: unknown = { body, headers: given };
    expect(await outcomeOf(verify(asRequest(request), options))).toBe('ok');
  });

  it.each([
    ['in a list of two', { ...headers, 'webhook-id': [headers['webhook-id'], 'evt_other'] }, 'malformed'],
    ['in two spellings', { ...headers, 'Webhook-Id': headers['webhook-id'] }, 'malformed'],
    ['joined by Node', { ...headers, 'webhook-id': `${headers['webhook-id']}, evt_other` }, 'malformed'],
    ['as an object', { ...headers, 'webhook-id': {} }, 'malformed'],
    ['as a number', { ...headers, 'webhook-timestamp': 1 }, 'malformed'],
    ['as an empty list', { ...headers, 'webhook-id': [] }, 'missing_header'],
    ['as null', { ...headers, 'webhook-id': null }, 'missing_header'],
  ])('with one %s are refused', async (_what, given, expected) => {
    expect(await outcomeOf(verify(asRequest({ body, headers: given }), options))).toBe(expected);
  });
});

describe('a body', () => {
  it.each([
    ['parsed to an object', event],
    ['parsed to a list', []],
    ['parsed to a number', 1],
    ['never read', undefined],
    ['null', null],
  ])('%s is refused with advice', async (_what, parsed) => {
    const verification = verify(asRequest({ body: parsed, headers }), options);
    await expect(verification).rejects.toMatchObject({ code: 'body_not_raw', status: 500 });
    await expect(verification).rejects.toThrow('express.raw()');
  });
});

describe('what is no request', () => {
  it.each([undefined, null, 'text', {}, { body }, { body, headers: null }, { body, headers: [] }])(
    '%j is refused as the receiver’s own fault',
    async (request) => {
      expect(await outcomeOf(verify(asRequest(request), options))).toBe('invalid_options');
    },
  );
});

describe('an event of API Gateway', () => {
  const base64 = body.toString('base64');
  it.each<[string, ApiGatewayEvent]>([
    ['of an HTTP API', { body: body.toString(), isBase64Encoded: false, headers }],
    ['in base64', { body: base64, isBase64Encoded: true, headers }],
    [
      'of a load balancer',
      { body: base64, isBase64Encoded: true, multiValueHeaders: mapHeaders((n, v) => [n, [v]]) },
    ],
    ['of a REST API', { body: body.toString(), headers, multiValueHeaders: mapHeaders((n, v) => [n, [v]]) }],
    ['without the multi-value headers', { body: body.toString(), headers, multiValueHeaders: null }],
  ])('%s is verified', async (_what, given) => {
    expect((await verify(fromApiGateway(given), options)).event).toEqual(event);
  });

  it('with base64 that is taken for text is refused', async () => {
    const request = fromApiGateway({ body: base64, isBase64Encoded: false, headers });
    expect(await outcomeOf(verify(request, options))).toBe('signature_mismatch');
  });

  it('with a header twice is refused, though one of them is right', async () => {
    const multiValueHeaders = {
      ...mapHeaders((n, v) => [n, [v]]),
      'webhook-id': ['evt_a', headers['webhook-id']],
    };
    const request = fromApiGateway({ body: body.toString(), headers, multiValueHeaders });
    expect(await outcomeOf(verify(request, options))).toBe('malformed');
  });

  it.each([{}, { body: null, headers: null }])('without anything in it is refused', async (given) => {
    expect(await outcomeOf(verify(fromApiGateway(given), options))).toBe('missing_header');
  });
});

it('a request through a real server of Node is verified', async () => {
  const outcomes: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
      outcomes.push(
        await outcomeOf(verify({ body: Buffer.concat(chunks), headers: request.headers }, options)),
      );
      response.end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body, headers });
  server.close();
  expect(outcomes).toEqual(['ok']);
});

/** What a caller without types may hand in. */
function asRequest(value: unknown): Parameters<typeof verify>[0] {
  return value as Parameters<typeof verify>[0];
}
