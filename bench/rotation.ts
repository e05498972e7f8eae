import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { createServer } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { callApi } from '../local/api-client.ts';
import { makeLoopbackIdentity } from '../local/demo/authority.ts';
import { startRuntime } from '../local/runtime.ts';
import { Webhook } from 'standardwebhooks';

/**
 * Rotates a secret and a signing key while events flow, and lets receivers verify that know only the old one, only
 * the new one, or both, each for the time that the documentation promises (docs/signing.md). About two minutes.
 */
const seconds = 100;
const perSecond = 20;
const rotateAfterMs = 20_000;
const leadSeconds = 40;
/** Until every function has seen a changed configuration (lambdas/shared/cache.ts). */
const seenWithinMs = 31_000;
const organization = '/v1/organizations/org_rotation';

interface Seen {
  readonly path: string;
  readonly atMs: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  /** Whether each receiver that is told to verify it could; those that are not told are left out. */
  readonly verdicts: Promise<readonly boolean[]>;
}

const seen: Seen[] = [];
const known: { secrets: string[]; rotatedMs: number; sets: JSONWebKeySet[]; activeMs: number } = {
  secrets: [],
  rotatedMs: Infinity,
  sets: [],
  activeMs: Infinity,
};

const identity = await makeLoopbackIdentity();
const server = createServer({ key: identity.key, cert: identity.certificate }, (request, response) => {
  void buffer(request).then((body) => {
    response.writeHead(204).end();
    const [path, headers, atMs] = [request.url ?? '', textOf(request.headers), Date.now()];
    const verdicts = path === '/hmac' ? byHmac(body, headers, atMs) : byJwt(headers);
    seen.push({ path, atMs, headers, body, verdicts });
  });
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = z.object({ port: z.number() }).parse(server.address());
const runtime = await startRuntime({ port: 0, extraCas: [identity.authority] });
const token = await runtime.issueToken({ group: 'operators' });
const caller = { api: runtime.api, token };

async function main(): Promise<boolean> {
  await callApi(caller, { method: 'PUT', path: organization, body: { plan: 'enterprise' } }, z.unknown());
  const hmac = await makeEndpoint('hmac');
  await makeEndpoint('jwt');
  known.secrets.push(hmac.secret);
  known.sets.push(await keySet());
  const publishing = publishAll();
  await pause(rotateAfterMs);
  await rotate(hmac.id);
  const count = await publishing;
  while (seen.length < 2 * count) await pause(100);
  return report();
}

function makeEndpoint(scheme: string) {
  const url = `https://127.0.0.1:${address.port}/${scheme}`;
  const call = {
    method: 'POST' as const,
    path: `${organization}/endpoints`,
    body: { url, scheme, eventTypes: ['*'] },
  };
  return callApi(caller, call, z.object({ id: z.string(), secret: z.string() }));
}

async function keySet(): Promise<JSONWebKeySet> {
  const response = await fetch(`${runtime.api}${organization}/.well-known/jwks.json`);
  return z.object({ keys: z.array(z.record(z.string(), z.string())) }).parse(await response.json());
}

async function rotate(endpointId: string): Promise<void> {
  const secretPath = `${organization}/endpoints/${endpointId}/secret/rotate`;
  const call = { method: 'POST' as const, path: secretPath, body: { overlapSeconds: 3_600 } };
  known.secrets.push((await callApi(caller, call, z.object({ secret: z.string() }))).secret);
  known.rotatedMs = Date.now();
  const keysPath = `${organization}/signing-keys/rotate`;
  const answer = await callApi(
    caller,
    { method: 'POST', path: keysPath, body: { leadSeconds, overlapSeconds: 3_600 } },
    z.object({ data: z.array(z.object({ kid: z.string(), activeFrom: z.string() })) }),
  );
  const [young] = answer.data;
  if (young === undefined) throw new Error('there is no new key');
  const both = await keySet();
  known.activeMs = Date.parse(young.activeFrom);
  known.sets.push({ keys: both.keys.filter(({ kid }) => kid === young.kid) }, both);
}

async function publishAll(): Promise<number> {
  const { environment, server: aws } = runtime.aws;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const region = environment['AWS_REGION'] ?? 'us-east-1';
  const bus = new EventBridgeClient({ endpoint: aws.endpoint, region, credentials });
  const detail = JSON.stringify({ organizationId: 'org_rotation', data: { text: 'Grüße 🎉' } });
  const entry = {
    EventBusName: runtime.output('BusName'),
    Source: 'bench',
    DetailType: 'pipeline.run.failed',
  };
  for (let second = 0; second < seconds; second += 1) {
    for (let sent = 0; sent < perSecond; sent += 10) {
      await bus.send(
        new PutEventsCommand({ Entries: Array.from({ length: 10 }, () => ({ ...entry, Detail: detail })) }),
      );
    }
    await pause(1_000);
  }
  return seconds * perSecond;
}

/** The old secret holds through the overlap, the new one from half a minute after the rotation on. */
function byHmac(body: Buffer, headers: Record<string, string>, atMs: number): Promise<boolean[]> {
  const [old = '', young = ''] = known.secrets;
  const told = atMs >= known.rotatedMs + seenWithinMs ? [old, young] : [old];
  return Promise.resolve(told.map((secret) => isGenuine(() => new Webhook(secret).verify(body, headers))));
}

/** The old key until the new one's first use, the new one from then on, and both always. */
function byJwt(headers: Record<string, string>): Promise<boolean[]> {
  const [old, young, both] = known.sets;
  const isYoung = Number(headers['webhook-timestamp']) * 1000 + 999 >= known.activeMs;
  const isOld = Number(headers['webhook-timestamp']) * 1000 < known.activeMs;
  const certain = isYoung && isOld ? [] : [isYoung ? young : old];
  const told = [...certain, both ?? old].filter((set) => set !== undefined);
  return Promise.all(
    told.map((set) =>
      jwtVerify(headers['webhook-jwt'] ?? '', createLocalJWKSet(set), { algorithms: ['ES256'] }).then(
        () => true,
        () => false,
      ),
    ),
  );
}

function isGenuine(verify: () => unknown): boolean {
  try {
    verify();
    return true;
  } catch {
    return false;
  }
}

function textOf(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

async function report(): Promise<boolean> {
  let isWell = true;
  for (const path of ['/hmac', '/jwt']) {
    const own = seen.filter((one) => one.path === path);
    const verdicts = (await Promise.all(own.map((one) => one.verdicts))).flat();
    const failed = verdicts.filter((isVerified) => !isVerified).length;
    process.stdout.write(
      `${path}: ${own.length} deliveries, ${verdicts.length} verifications, ${failed} failed\n`,
    );
    isWell = isWell && failed === 0 && verdicts.length > own.length;
  }
  return isWell;
}

const isWell = await main();
await runtime.stop();
server.close();
process.exit(isWell ? 0 : 1);
