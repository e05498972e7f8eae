import https from 'node:https';

/** Loaded into MiniStack's functions before their handlers, which cannot be told so by a template. */

// The demo receiver is on loopback.
Object.assign(globalThis, { [Symbol.for('tidings.local.receivers')]: true });

// MiniStack's worker would have requests to loopback go out without TLS.
const { request } = https;
Object.defineProperty(https, 'request', { get: () => request, set: () => undefined });
