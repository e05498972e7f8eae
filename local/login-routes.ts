import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { askedScopes, formOf } from './form.ts';
import type { Route } from './gateway-routes.ts';
import type { PoolClient, UserPool } from './resources/user-pools.ts';

/** Somebody who signs in: the user pool has no users here, so whoever asks for a token says who it is for. */
export interface LocalUser {
  /** Left out for an operator, who belongs to no organization. */
  readonly organizationId?: string;
  /** Who is in none may read. */
  readonly group?: 'operators' | 'administrators';
  readonly expiresInSeconds?: number;
}

/** Milliseconds for which Cognito keeps an authorization code. */
const codeMs = 5 * 60_000;

interface Granted {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly challenge: string | undefined;
  readonly user: LocalUser;
  readonly untilMs: number;
}

/** What the token endpoint is shown of a code. */
export interface CodeShown {
  readonly code: string | null;
  readonly clientId: string;
  readonly redirectUri: string | null;
  readonly verifier: string | null;
}

/** Codes that were given out: each is good once, for the client and the address that it was asked for. */
export class AuthorizationCodes {
  readonly #codes = new Map<string, Granted>();
  readonly #nowMs: () => number;

  public constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  public give(granted: Omit<Granted, 'untilMs'>): string {
    const code = randomBytes(16).toString('hex');
    this.#codes.set(code, { ...granted, untilMs: this.#nowMs() + codeMs });
    return code;
  }

  /** Who signed in; nothing for a code that is not good for whoever shows it. */
  public redeem({ code, clientId, redirectUri, verifier }: CodeShown): LocalUser | undefined {
    const granted = this.#codes.get(code ?? '');
    this.#codes.delete(code ?? '');
    if (granted === undefined || granted.untilMs < this.#nowMs()) return undefined;
    const challenge =
      verifier === null ? undefined : createHash('sha256').update(verifier).digest('base64url');
    const isHis = granted.clientId === clientId && granted.redirectUri === redirectUri;
    return isHis && granted.challenge === challenge ? granted.user : undefined;
  }
}

/**
 * The pool's sign-in page. There are no users here: whoever signs in says of which organization and group he is.
 *
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
 */
export function loginRoutes(pool: UserPool, codes: AuthorizationCodes): readonly Route[] {
  return [
    { key: 'GET /oauth2/authorize', invoke: (event) => Promise.resolve(toPage(request.parse(event))) },
    { key: 'GET /login', invoke: (event) => Promise.resolve(page(pool, request.parse(event))) },
    { key: 'POST /login', invoke: (event) => Promise.resolve(signIn(pool, codes, request.parse(event))) },
  ];
}

const request = z.object({
  rawQueryString: z.string(),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
});
type Request = z.output<typeof request>;

function toPage({ rawQueryString }: Request) {
  return { statusCode: 302, headers: { location: `/login?${rawQueryString}` } };
}

interface Asked {
  readonly client: PoolClient;
  readonly redirectUri: string;
  readonly query: URLSearchParams;
}

/** What a page was asked for; a word for what is wrong with it. */
function asked(pool: UserPool, { rawQueryString }: Request): Asked | string {
  const query = new URLSearchParams(rawQueryString);
  const client = pool.clients.find(({ id }) => id === query.get('client_id'));
  const redirectUri = query.get('redirect_uri') ?? '';
  if (client === undefined) return 'invalid_client';
  // To the letter: Cognito leads back to nothing that is only like what is registered.
  if (!client.callbackUrls.includes(redirectUri)) return 'redirect_mismatch';
  if (query.get('response_type') !== 'code' || !client.flows.includes('code')) return 'unauthorized_client';
  if (query.has('code_challenge') && query.get('code_challenge_method') !== 'S256') return 'invalid_request';
  return askedScopes(query).every((scope) => client.scopes.includes(scope))
    ? { client, redirectUri, query }
    : 'invalid_scope';
}

function page(pool: UserPool, given: Request) {
  const wanted = asked(pool, given);
  return typeof wanted === 'string' ? html(400, `<p>${wanted}</p>`) : html(200, form);
}

const form = `<form method="post">
<p>The local runtime has no users: sign in as whom you like.</p>
<p><label>Organization, none for an operator <input name="organizationId" value="org_demo"></label></p>
<p><label>Group <select name="group"><option>administrators<option>operators<option value="">none</select></label></p>
<p><button>Sign in</button></p>
</form>`;

const who = z.object({
  organizationId: z.string().optional(),
  group: z.enum(['operators', 'administrators']).optional(),
});

function signIn(pool: UserPool, codes: AuthorizationCodes, given: Request) {
  const wanted = asked(pool, given);
  const filledIn = [...formOf(given)].filter(([, value]) => value !== '');
  const { data: user } = who.safeParse(Object.fromEntries(filledIn));
  if (typeof wanted === 'string' || user === undefined) return html(400, '<p>invalid_request</p>');
  const { client, redirectUri, query } = wanted;
  const back = new URL(redirectUri);
  const challenge = query.get('code_challenge') ?? undefined;
  const { organizationId, group } = user;
  const code = codes.give({
    clientId: client.id,
    redirectUri,
    challenge,
    user: {
      ...(organizationId === undefined ? {} : { organizationId }),
      ...(group === undefined ? {} : { group }),
    },
  });
  back.searchParams.set('code', code);
  const state = query.get('state');
  if (state !== null) back.searchParams.set('state', state);
  return { statusCode: 302, headers: { location: back.href } };
}

function html(statusCode: number, body: string) {
  const headers = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' };
  return { statusCode, headers, body: `<!doctype html><title>Tidings</title>${body}` };
}
