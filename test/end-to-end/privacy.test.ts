import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { AwsError } from '../../local/aws/aws-error.ts';
import { synthesize } from '../../local/synthesis.ts';
import type { Template } from '../../local/template.ts';
import { anAuthority } from '../lambdas/request/certificates.ts';
import { anEntry, payloadMarker, startTidings, until } from './tidings.ts';
import type { Tidings } from './tidings.ts';

/** Every function of the stack at work, with the canary: none of their lines holds what is nobody's business. */
const organization = 'org_private';
const base = `/v1/organizations/${organization}`;

let folder: string;
let template: Template;
let tidings: Tidings;
let isConfigUnreadable = false;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidings-private-'));
  ({ template } = await synthesize(folder, { canary: 'true' }));
  tidings = await startTidings({
    templateFolder: folder,
    beforeCall: (_service, action) =>
      isConfigUnreadable && action === 'GetItem'
        ? Promise.reject(new AwsError('AccessDeniedException', `no answer about ${payloadMarker}`))
        : Promise.resolve(),
  });
});

afterAll(async () => {
  await tidings.stop();
  await rm(folder, { recursive: true });
});

const saidBy = (service: string, message = '') =>
  tidings.logLines.some((line) => line.includes(`"service":"${service}"`) && line.includes(message));

const named = z.looseObject({
  Environment: z.looseObject({ Variables: z.looseObject({ POWERTOOLS_SERVICE_NAME: z.string() }) }),
});

/** By which name each function of the stack writes its lines. */
const services = () =>
  Object.values(template.Resources)
    .filter(({ Type }) => Type === 'AWS::Lambda::Function')
    .map(({ Properties }) => named.parse(Properties).Environment.Variables.POWERTOOLS_SERVICE_NAME);

it('the canary goes through everything and arrives, verified', async () => {
  await tidings.runtime.runSchedules();
  await until('the canary', () => saidBy('canaryreceive', '"message":"canary.arrived"'));
});

it('no line of any function holds a payload, a secret, a token, a signature, a key or a header', async () => {
  await tidings.makeOrganization(organization);
  const token = await tidings.tokenOf(organization);
  const apiKey = 'PLANTED-header-4712';
  const queryKey = 'PLANTED-query-4713';
  for (const one of [apiKey, queryKey]) tidings.planted.add(one);
  const headers = [{ name: 'x-api-key', value: apiKey, secret: true }];
  const taken = await tidings.makeEndpoint(organization, `/taken?key=${queryKey}`, {
    headers,
    keepResponse: true,
  });
  const broken = await tidings.makeEndpoint(organization, '/broken');
  tidings.receiver.behave('/broken', () => 500);

  const { certificate, key } = await (await anAuthority()).issue({ validToDays: 5 });
  for (const line of key.split('\n').filter((text) => /^[\w+/=]{40,}$/.test(text))) tidings.planted.add(line);
  const path = `${base}/endpoints/${broken}`;
  const put = { token, body: { certificate, privateKey: key } };
  expect((await tidings.call('PUT', `${path}/client-certificate`, put)).status).toBe(201);
  const rotated = await tidings.call('POST', `${path}/secret/rotate`, { token, body: {} });
  tidings.planted.add(rotated.body.secret);
  tidings.receiver.trust('/broken', rotated.body.secret);

  // What is refused is read, too.
  const bad = { type: 'pipeline.run.failed', data: { note: payloadMarker }, unknown: payloadMarker };
  expect((await tidings.call('POST', `${base}/events`, { token, body: bad })).status).toBe(400);
  const unparsed = `{"type":"${payloadMarker}`;
  expect((await tidings.call('POST', `${base}/events`, { token, body: unparsed })).status).toBe(400);
  expect((await tidings.call('POST', `${path}/test`, { token })).status).toBe(200);

  await tidings.publish(
    anEntry(organization),
    anEntry(organization, { type: 'no.such.type' }),
    anEntry('org_nobody'),
    anEntry(organization, { detail: { occurredAt: payloadMarker } }),
    { DetailType: 'pipeline.run.failed', Detail: JSON.stringify({ organizationId: [payloadMarker] }) },
  );
  await until('a dead letter', async () => {
    const { body } = await tidings.call('GET', `${base}/dead-letters`, { token });
    return body.data.length > 0;
  });
  await until('a delivery', () => tidings.received.some(({ path }) => path.startsWith('/taken')));
  for (const { signature } of tidings.received) tidings.planted.add(signature);

  const recovered = await tidings.call('POST', `${base}/endpoints/${broken}/recover`, {
    token,
    body: { since: new Date(Date.now() - 3_600_000).toISOString(), include: ['dead'] },
  });
  expect(recovered.status).toBe(202);
  await until('the recovery', () => saidBy('recover', '"message":"recovery.finished"'));
  await tidings.runtime.runSchedules();

  isConfigUnreadable = true;
  await tidings.tokenOf(organization).catch(() => undefined);
  isConfigUnreadable = false;

  const silent = services().filter((service) => !saidBy(service));
  expect(silent).toEqual([]);
  expect(taken).not.toBe('');
  // What was planted was there to be leaked.
  expect(tidings.planted.size).toBeGreaterThan(12);
  expect(tidings.leaks()).toEqual([]);
});
