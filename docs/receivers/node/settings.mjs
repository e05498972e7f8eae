// What the samples read from the environment.
import { readFileSync } from 'node:fs';
import { makeHmacVerifier, makeJwtVerifier } from './verify.mjs';

const { env } = process;

export const host = env.HOST ?? '127.0.0.1';
export const port = Number(env.PORT ?? 8443);

/** Tidings sends at most 256 KB; parsers often stop at 100 KB. */
export const bodyBytesMax = 1024 * 1024;

/** Certificate (with its chain) and private key, in PEM. */
export function readTls() {
  return { cert: readFileSync(env.TLS_CERT_FILE), key: readFileSync(env.TLS_KEY_FILE) };
}

export const verify =
  env.SCHEME === 'jwt'
    ? makeJwtVerifier({ jwksUrl: env.JWKS_URL, issuer: env.ISSUER, audience: env.AUDIENCE })
    : makeHmacVerifier({ secret: env.WEBHOOK_SECRET });

/** Your work. At least once means: an `event.id` seen before is done already. Answer first if it takes seconds. */
export async function handle(event) {
  console.log(`verified ${event.type} ${event.id}`);
}
