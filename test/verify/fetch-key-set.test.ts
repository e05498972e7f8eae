import { createServer } from 'node:https';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchKeySet } from '../../verify/fetch-key-set.ts';
import { verify } from '../../verify/verify.ts';
import { anAuthority } from '../lambdas/request/certificates.ts';
import { aSigner, audience, body, jwtHeaders, now, outcomeOf } from './a-webhook.ts';

const signer = await aSigner('ES256', 'key-es');
const authority = await anAuthority();
const identity = await authority.issue({ names: ['localhost'] });
const paths: string[] = [];

const answers: Record<string, RequestListener> = {
  '/jwks.json': (_request, response) => {
    response.setHeader('cache-control', 'public, max-age=600').end(JSON.stringify({ keys: [signer.jwk] }));
  },
  '/no-store': (_request, response) => {
    response.setHeader('cache-control', 'No-Store').end('{"keys":[]}');
  },
  '/silent': () => undefined,
  '/slow': (_request, response) => {
    response.write('{"keys":[');
    const timer = setInterval(() => response.write(' '), 100);
    response.on('close', () => {
      clearInterval(timer);
    });
  },
  '/large': (_request, response) => {
    response.end(JSON.stringify({ keys: [], padding: 'x'.repeat(300_000) }));
  },
  '/redirect': (_request, response) => {
    response.writeHead(302, { location: '/jwks.json' }).end();
  },
  '/missing': (_request, response) => {
    response.writeHead(404).end('{"keys":[]}');
  },
  '/html': (_request, response) => {
    response.end('<html></html>');
  },
  '/list': (_request, response) => {
    response.end('[]');
  },
};

const server = createServer({ cert: identity.certificate, key: identity.key }, (request, response) => {
  const path = request.url ?? '';
  paths.push(path);
  answers[path]?.(request, response);
});
const before = tls.getCACertificates('default');
let origin = '';

beforeAll(async () => {
  tls.setDefaultCACertificates([...before, authority.certificate]);
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  origin = `https://localhost:${port}`;
});
afterAll(() => {
  tls.setDefaultCACertificates(before);
  server.closeAllConnections();
  server.close();
});

describe('a URL of keys', () => {
  it('verifies many webhooks at once with one request', async () => {
    const headers = await jwtHeaders(signer);
    const options = { jwksUrl: new URL(`${origin}/jwks.json`), audience, now };
    const outcomes = Array.from({ length: 20 }, () => outcomeOf(verify({ body, headers }, options)));
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['ok']));
    expect(paths.filter((path) => path === '/jwks.json')).toHaveLength(1);
  });

  it('says for how long its keys may be kept', async () => {
    expect((await fetchKeySet(`${origin}/jwks.json`)).maxAgeSeconds).toBe(600);
    expect((await fetchKeySet(`${origin}/no-store`)).maxAgeSeconds).toBe(0);
  });

  it.each(['silent', 'slow', 'large', 'redirect', 'missing', 'html', 'list'])(
    'that is %s gives no keys, within its limit of time',
    async (path) => {
      const headers = await jwtHeaders(signer);
      const startMs = performance.now();
      const verification = verify({ body, headers }, { jwksUrl: `${origin}/${path}`, audience, now });
      expect(await outcomeOf(verification)).toBe('keys_unavailable');
      expect(performance.now() - startMs).toBeLessThan(9000);
    },
  );

  it('whose certificate is not trusted gives no keys', async () => {
    tls.setDefaultCACertificates(before);
    const headers = await jwtHeaders(signer);
    // Another name of the same server: an open connection must not be used again.
    const jwksUrl = `${origin.replace('localhost', '127.0.0.1')}/jwks.json`;
    expect(await outcomeOf(verify({ body, headers }, { jwksUrl, audience, now }))).toBe('keys_unavailable');
    tls.setDefaultCACertificates([...before, authority.certificate]);
  });

  it('is not asked for a token that is none', async () => {
    const headers = { ...(await jwtHeaders(signer)), 'webhook-jwt': 'token' };
    const verification = verify({ body, headers }, { jwksUrl: `${origin}/untouched`, audience, now });
    expect(await outcomeOf(verification)).toBe('malformed');
    expect(paths).not.toContain('/untouched');
  });
});
