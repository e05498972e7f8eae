import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { z } from 'zod';
import { startRuntime } from '../../local/runtime.ts';
import type { RuntimeOptions } from '../../local/runtime.ts';
import { skewedClock, systemClock } from '../../local/aws/clock.ts';
import { startDemoReceiver } from '../../local/demo/receiver.ts';
import type { Received } from '../../local/demo/receiver.ts';

/** Stands in every payload of these tests; a log line that holds it has leaked a payload. */
export const payloadMarker = 'PLANTED-payload-4711';

/** What tests look at in an answer; what is not there is empty. */
const one = z.looseObject({
  id: z.string().default(''),
  secret: z.string().default(''),
  eventId: z.string().default(''),
  explanation: z.string().default(''),
  attemptCount: z.number().default(0),
  attempts: z.array(z.looseObject({ outcome: z.string() })).default([]),
});
const answerBody = one.extend({ data: z.array(one).default([]) });

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
  readonly body: z.output<typeof answerBody>;
}

/** The whole product on loopback, with a receiver that verifies by the stock library, and a caller's tools. */
export async function startTidings(options: Partial<RuntimeOptions> = {}) {
  const received: Received[] = [];
  const receiver = await startDemoReceiver((one) => received.push(one));
  const logLines: string[] = [];
  const answers: string[] = [];
  const planted = new Set<string>([payloadMarker]);
  const clock = skewedClock(systemClock);
  const runtime = await startRuntime({
    port: 0,
    templateFolder: inject('templateFolder'),
    extraCas: [receiver.authority],
    setting: { clock },
    onLog: (_name, line) => logLines.push(line),
    ...options,
  });
  const aws = {
    endpoint: runtime.aws.server.endpoint,
    region: runtime.aws.setting.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const bus = new EventBridgeClient(aws);
  const sqs = new SQSClient(aws);
  const tokens = {
    operator: await runtime.issueToken({ group: 'operators' }),
  };
  planted.add(tokens.operator);

  const tokenOf = async (organizationId: string) => {
    const token = await runtime.issueToken({ organizationId, group: 'administrators' });
    planted.add(token);
    return token;
  };

  const call = async (
    method: string,
    path: string,
    given: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<ApiAnswer> => {
    const { token = tokens.operator, body } = given;
    const response = await fetch(runtime.api + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...given.headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    answers.push(text);
    return { status: response.status, text, body: answerBody.parse(text === '' ? {} : JSON.parse(text)) };
  };

  const makeOrganization = async (id: string, plan = 'enterprise') => {
    await call('PUT', `/v1/organizations/${id}`, { body: { plan } });
    return id;
  };

  /** An endpoint on the receiver, whose secret the receiver trusts, with waits of a second. */
  const makeEndpoint = async (organizationId: string, path: string, more: object = {}): Promise<string> => {
    const body = { url: receiver.url + path, eventTypes: ['*'], policy: quick, ...more };
    const { body: endpoint } = await call('POST', `/v1/organizations/${organizationId}/endpoints`, { body });
    planted.add(endpoint.secret);
    receiver.trust(path, endpoint.secret);
    return endpoint.id;
  };

  /** Publishes as a producer does; every payload holds the marker. */
  const publish = async (...entries: PutEventsRequestEntry[]) => {
    const Entries = entries.map((entry) => ({
      EventBusName: runtime.output('BusName'),
      Source: 'test',
      ...entry,
    }));
    return bus.send(new PutEventsCommand({ Entries }));
  };

  return {
    ...{ runtime, receiver, received, logLines, planted, clock, sqs, tokens },
    ...{ tokenOf, call, makeOrganization, makeEndpoint, publish },
    /** Of planted payloads, secrets, tokens and signatures, those that stand in a log line. */
    leaks: () => [...planted].filter((secret) => logLines.some((line) => line.includes(secret))),
    /** Of what was planted, that which stands in more than the one answer that shows it, or in the template. */
    shownTwice: async () => {
      const template = await readFile(join(inject('templateFolder'), 'Tidings.template.json'), 'utf8');
      const places = [...answers, template, template];
      return [...planted].filter((secret) => places.filter((text) => text.includes(secret)).length > 1);
    },
    stop: async () => {
      bus.destroy();
      sqs.destroy();
      await runtime.stop();
      await receiver.stop();
    },
  };
}

export type Tidings = Awaited<ReturnType<typeof startTidings>>;

const quick = { timeoutSeconds: 5, retry: { initialBackoffSeconds: 1, multiplier: 1, maximumAttempts: 3 } };

/** An entry for `publish`. */
export function anEntry(
  organizationId: string,
  more: { type?: string; detail?: object } = {},
): PutEventsRequestEntry {
  const detail = { organizationId, data: { runId: 77, note: payloadMarker }, ...more.detail };
  return { DetailType: more.type ?? 'pipeline.run.failed', Detail: JSON.stringify(detail) };
}

/** Waits until something is so; fails after a minute, with what was waited for. */
export async function until<Value>(
  what: string,
  look: () => Value | undefined | false | Promise<Value | undefined | false>,
): Promise<Value> {
  const limit = Date.now() + 60_000;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > limit) throw new Error(`waited a minute in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
