import type { TlsOptions } from 'node:tls';
import { afterAll } from 'vitest';
import type { PostRequest, PostResult } from '../../../lambdas/request/answer.ts';
import { defaultTargetRules } from '../../fakes/target-rules.ts';
import type { FailureText } from '../../../lambdas/request/cause-text.ts';
import { describeFailure } from '../../../lambdas/request/failure-text.ts';
import { makePost, type Lookup } from '../../../lambdas/request/post.ts';
import { aTlsReceiver, type Receiver, type Script } from './bad-receivers.ts';
import { anAuthority, type Identity } from './certificates.ts';

/** The authority that these receivers are trusted by. */
export const authority = await anAuthority();
export const good = await authority.issue();
export const localRules = { ...defaultTargetRules, loopback: true };
export const localLookup: Lookup = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
const open: { close: () => Promise<void> }[] = [];

afterAll(async () => {
  await Promise.all(open.map((receiver) => receiver.close()));
});

interface Try extends Partial<PostRequest> {
  readonly port?: number;
  readonly lookup?: Lookup;
}

/** Posts to a receiver on this machine. */
export async function tryPost({ port = 443, lookup = localLookup, ...request }: Try): Promise<PostResult> {
  const post = makePost({ lookup, ca: [authority.certificate] });
  return await post({
    url: `https://receiver.localhost:${port}/hook?a=1`,
    headers: { 'content-type': 'application/json', 'webhook-id': 'evt_1' },
    body: new TextEncoder().encode('{"id":"evt_1"}'),
    timeoutMs: 3000,
    rules: localRules,
    ...request,
  });
}

/** A receiver over TLS, closed at the end of the file. */
export async function aReceiver(script: Script, options: TlsOptions = {}): Promise<Receiver> {
  return await kept(aTlsReceiver(script, { ...identity(good), ...options }));
}

export async function kept<Resource extends { close: () => Promise<void> }>(
  opening: Promise<Resource>,
): Promise<Resource> {
  const resource = await opening;
  open.push(resource);
  return resource;
}

export function identity({ certificate, key }: Identity): TlsOptions {
  return { cert: certificate, key };
}

/** What a user sees of the outcome, in one word. */
export function verdict({ answer }: PostResult): number | string {
  return answer.kind === 'response' ? answer.status : answer.code;
}

/** What a user is told of a failure without a status. */
export function toldOf({ answer }: PostResult): FailureText | undefined {
  return answer.kind === 'failure' ? describeFailure(answer.code, answer) : undefined;
}

export function phasesOf(result: PostResult): readonly string[] {
  return result.phases.map(({ name, ok }) => (ok ? name : `${name} failed`));
}

/** With a generous deadline where the receiver is to be quick, and a short one where it is to pass. */
export const quickMs = 3000;
export const shortMs = 400;
