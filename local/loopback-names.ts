import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';

/** TEST-NET-1 (RFC 5737): nobody has it, and Tidings connects to no address that is not public. */
const nowhere = { address: '192.0.2.1', family: 4 };

/**
 * Has every name of a receiver but `localhost` and what is below it lead nowhere, in this thread, for good: whoever
 * has endpoints invented must not post to them.
 */
export function keepNamesLocal(): void {
  const { lookup } = dns;
  const local = (host: string, options: { readonly all: true }) =>
    /(^|\.)localhost$/.test(host) ? lookup(host, options) : Promise.resolve([nowhere]);
  Object.assign(dns, { lookup: local });
  syncBuiltinESMExports();
}
