import { readClock } from './age.ts';
import type { Clock, ClockOptions } from './age.ts';
import { parseEvent } from './event.ts';
import type { WebhookEvent } from './event.ts';
import { readKeySetUrl } from './fetch-key-set.ts';
import { verifyHmac } from './hmac.ts';
import type { HmacAttempt } from './hmac.ts';
import { verifyJwt } from './jwt.ts';
import type { Expected, JwtAttempt } from './jwt.ts';
import { chooseKey, parseKeySet } from './key-set.ts';
import { publishedKeys } from './published-keys.ts';
import { isObject, readRequest } from './request.ts';
import type { WebhookRequest } from './request.ts';
import { VerificationError } from './verification-error.ts';

export { fromApiGateway } from './api-gateway.ts';
export { VerificationError } from './verification-error.ts';
export type { ApiGatewayEvent } from './api-gateway.ts';
export type { WebhookEvent } from './event.ts';
export type { HmacAttempt } from './hmac.ts';
export type { JwtAttempt } from './jwt.ts';
export type { HeaderLookup, HeaderRecord, WebhookRequest } from './request.ts';
export type { VerificationCode } from './verification-error.ts';

/** For endpoints with the scheme `hmac`. */
export interface SecretOptions extends ClockOptions {
  /** `whsec_…`, or without the prefix; during a rotation the old one and the new one. */
  readonly secret: string | readonly string[];
}

interface TokenOptions extends ClockOptions {
  /** The id of the endpoint, `ep_…`; several when they share a URL. */
  readonly audience: string | readonly string[];
  /** The deployment's URL. Needed when keys of several deployments are trusted. */
  readonly issuer?: string;
}

/** For endpoints with the scheme `jwt`, with keys at hand. */
export interface KeySetOptions extends TokenOptions {
  /** A JSON Web Key Set. */
  readonly jwks: { readonly keys: readonly object[] };
}

/** For endpoints with the scheme `jwt`: keys are fetched, kept, and fetched again when they change. */
export interface KeySetUrlOptions extends TokenOptions {
  /** `https://…/v1/organizations/{o}/.well-known/jwks.json`; never taken from a request. */
  readonly jwksUrl: string | URL;
}

export type VerifyOptions = SecretOptions | KeySetOptions | KeySetUrlOptions;

export type Attempt = HmacAttempt | JwtAttempt;

export interface Verified {
  readonly event: WebhookEvent;
  readonly attempt: Attempt;
}

/**
 * Verifies a webhook of Tidings and gives its event. `Standard Webhooks` 1.0.0 by `secret`, the JWT in `webhook-jwt`
 * by `jwks` or `jwksUrl`. A request is taken from five minutes ago until five minutes ahead; within them it can come
 * more than once, so remember `event.id`.
 *
 * @throws VerificationError, and nothing else.
 */
export async function verify(request: WebhookRequest, options: VerifyOptions): Promise<Verified> {
  const { body, attempt } = await verifySignature(request, options);
  return { event: parseEvent(body), attempt };
}

/**
 * The same without looking into the body: for any sender of Standard Webhooks, or for a parser of one's own. The
 * body it gives are the bytes that were signed.
 *
 * @throws VerificationError, and nothing else.
 */
export async function verifySignature(
  request: WebhookRequest,
  options: VerifyOptions,
): Promise<{ readonly body: Uint8Array; readonly attempt: Attempt }> {
  const settings = readSettings(options);
  const read = readRequest(request);
  const attempt =
    settings.scheme === 'hmac'
      ? verifyHmac(read, settings.secret, settings.clock)
      : await verifyJwt(read, settings.expected);
  return { body: read.body, attempt };
}

type Settings =
  | { readonly scheme: 'hmac'; readonly secret: unknown; readonly clock: Clock }
  | { readonly scheme: 'jwt'; readonly expected: Expected };

/** The scheme is the one that the receiver chose: a request can not turn to another by its headers. */
function readSettings(options: VerifyOptions): Settings {
  const given: unknown = options;
  if (!isObject(given)) throw new VerificationError('invalid_options');
  const chosen = ['secret', 'jwks', 'jwksUrl'].filter((name) => given[name] !== undefined);
  if (chosen.length !== 1) {
    const hint = 'verify needs exactly one of secret, jwks and jwksUrl; is its variable empty?';
    throw new VerificationError('invalid_options', { hint });
  }
  const clock = readClock(options);
  if (given['secret'] !== undefined) return { scheme: 'hmac', secret: given['secret'], clock };
  const audiences = readAudiences(given['audience']);
  const issuer = readIssuer(given['issuer']);
  return { scheme: 'jwt', expected: { audiences, issuer, clock, findKey: findKeyIn(given, clock) } };
}

function findKeyIn({ jwks, jwksUrl }: Record<string, unknown>, { nowMs }: Clock): Expected['findKey'] {
  if (jwksUrl !== undefined) {
    const published = publishedKeys(readKeySetUrl(jwksUrl));
    return async (kid) => chooseKey(await published.read(kid, nowMs), kid);
  }
  const keys = parseKeySet(jwks);
  if (keys === undefined) {
    throw new VerificationError('invalid_options', { hint: 'jwks has to be { keys: [ … ] }.' });
  }
  return (kid) => chooseKey(keys, kid);
}

function readAudiences(audience: unknown): string[] {
  const all: unknown[] = Array.isArray(audience) ? audience : [audience];
  const ids = all.filter((one): one is string => typeof one === 'string' && one !== '');
  if (ids.length === 0 || ids.length !== all.length) {
    throw new VerificationError('invalid_options', { hint: 'audience has to be the id of your endpoint.' });
  }
  return ids;
}

function readIssuer(issuer: unknown): string | undefined {
  if (issuer === undefined || (typeof issuer === 'string' && issuer !== '')) return issuer;
  throw new VerificationError('invalid_options', { hint: 'issuer has to be the URL of the deployment.' });
}
