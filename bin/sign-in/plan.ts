import { WrongFlags } from './flags.ts';

/** How a sign-in goes: all of it stands in the output SignInUrl. */
export interface Plan {
  /** Where the browser is sent. */
  readonly authorizeUrl: (own: { readonly state: string; readonly challenge: string }) => string;
  /** Where the code becomes a token. */
  readonly tokenUrl: string;
  readonly clientId: string;
  /** On this machine: the page leads back to it with the code. */
  readonly redirectUri: URL;
}

/**
 * @param page the output SignInUrl
 * @throws WrongFlags when it is none, or leads back to somewhere else than this machine.
 * @see https://datatracker.ietf.org/doc/html/rfc8252#section-7.3
 */
export function planOf(page: string): Plan {
  const url = URL.parse(page);
  const clientId = url?.searchParams.get('client_id') ?? '';
  const redirectUri = URL.parse(url?.searchParams.get('redirect_uri') ?? '');
  if (url === null || redirectUri === null || clientId === '' || !isSafe(url)) {
    throw new WrongFlags(`${page} is not the output SignInUrl of a stack, in quotes`);
  }
  if (redirectUri.protocol !== 'http:' || redirectUri.hostname !== 'localhost') {
    throw new WrongFlags(`This SignInUrl leads back to ${redirectUri.origin}, not to this machine`);
  }
  return {
    tokenUrl: new URL('/oauth2/token', url).href,
    clientId,
    redirectUri,
    authorizeUrl: ({ state, challenge }) => {
      // Documented for PKCE, which the sign-in page itself is not; it leads there with the same parameters.
      const authorize = new URL(`/oauth2/authorize${url.search}`, url);
      authorize.searchParams.set('state', state);
      authorize.searchParams.set('code_challenge', challenge);
      authorize.searchParams.set('code_challenge_method', 'S256');
      return authorize.href;
    },
  };
}

/** The local runtime has no certificate. */
function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost'].includes(hostname));
}
