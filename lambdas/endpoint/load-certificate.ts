import { createSecureContext } from 'node:tls';

/**
 * Loads a client certificate with its key as a delivery will: OpenSSL judges them, and nothing is connected to.
 *
 * @returns OpenSSL's code when it refuses them, such as `ERR_SSL_EE_KEY_TOO_SMALL`; `undefined` when it takes them
 */
export function faultOfLoading(certificate: string, privateKey: string): string | undefined {
  try {
    createSecureContext({ cert: certificate, key: privateKey });
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
  }
}
