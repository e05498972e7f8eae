import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';

/** Time to set a password and a second factor at the first sign-in. */
const limitMs = 15 * 60_000;

/**
 * Listens where the sign-in page leads back to, until somebody comes back with what was asked for.
 *
 * @param state what only this sign-in knows: whoever comes without it is sent away, and the sign-in goes on
 * @param onListening called when the browser may be sent
 * @returns the authorization code
 */
export async function waitForCode(redirectUri: URL, state: string, onListening: () => void): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? '', redirectUri.href);
    if (request.method !== 'GET' || url?.pathname !== redirectUri.pathname) {
      show(response, 404, 'There is nothing here.');
      return;
    }
    const code = url.searchParams.get('code');
    const error = url.searchParams.get('error');
    if (url.searchParams.get('state') !== state || (code === null && error === null)) {
      show(response, 400, 'This is not the sign-in that the terminal has asked for.');
    } else if (code === null) {
      show(response, 200, 'You are not signed in: the terminal says why. This page can be closed.');
      reject(new Error(`The sign-in page refused: ${error ?? ''} ${describe(url)}`.trim()));
    } else {
      show(response, 200, 'You are signed in: the token is in the terminal. This page can be closed.');
      resolve(code);
    }
  });
  const { port } = redirectUri;
  server.once('error', (cause) => {
    const isTaken = 'code' in cause && cause.code === 'EADDRINUSE';
    // Cognito leads back to an address that is registered and to no other: it cannot be another port.
    reject(isTaken ? new Error(`The port ${port} is in use, and the sign-in needs it`, { cause }) : cause);
  });
  server.listen(Number(port), '127.0.0.1', onListening);
  const timer = setTimeout(() => {
    reject(new Error(`Nobody signed in within ${limitMs / 60_000} minutes`));
  }, limitMs);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    server.close();
  }
}

function describe(url: URL): string {
  // Text of another: for the terminal without what moves its cursor.
  return (url.searchParams.get('error_description') ?? '').replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, 300);
}

function show(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'",
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(`<!doctype html><title>Tidings</title><p>${text}</p>`);
}
