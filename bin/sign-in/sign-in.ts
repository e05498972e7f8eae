import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { openBrowser } from './browser.ts';
import type { Plan } from './plan.ts';
import { waitForCode } from './wait-for-code.ts';

export interface Manner {
  readonly opensBrowser: boolean;
  readonly say: (line: string) => void;
}

/**
 * Has a person sign in with a browser on this machine, by OAuth's authorization code with PKCE: only this process can
 * make a token of the code that the page leads back with.
 *
 * @returns an access token
 * @throws Error saying what the page or the token endpoint said, when it did not succeed.
 * @see https://datatracker.ietf.org/doc/html/rfc7636
 */
export async function signIn(plan: Plan, { opensBrowser, say }: Manner): Promise<string> {
  const state = randomBytes(16).toString('base64url');
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const address = plan.authorizeUrl({ state, challenge });
  const code = await waitForCode(plan.redirectUri, state, () => {
    say(`Sign in with a browser on this machine:\n\n  ${address}\n`);
    if (opensBrowser) openBrowser(address);
  });
  return tokenFor(plan, { code, verifier });
}

const tokenAnswer = z.union([z.object({ access_token: z.string() }), z.object({ error: z.string() })]);
const answerLimitMs = 15_000;

async function tokenFor(
  { tokenUrl, clientId, redirectUri }: Plan,
  { code, verifier }: { readonly code: string; readonly verifier: string },
): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: clientId,
    // As it was registered: an address is compared as text.
    redirect_uri: redirectUri.href,
    code,
    code_verifier: verifier,
  });
  const signal = AbortSignal.timeout(answerLimitMs);
  const response = await fetch(tokenUrl, { method: 'POST', body, redirect: 'error', signal });
  const answer = tokenAnswer.safeParse(await response.json().catch(() => undefined));
  if (answer.success && 'access_token' in answer.data) return answer.data.access_token;
  const reason = answer.success && 'error' in answer.data ? answer.data.error : `HTTP ${response.status}`;
  throw new Error(`No token was given for the sign-in: ${reason}`);
}
