/**
 * The headers of a request as they go out: the caller's, then those that belong to the connection. Whatever a
 * caller says about where the request goes or where it ends is dropped: Node would send it as given, and two
 * readings of one request are how requests are smuggled.
 */
export function toSentHeaders(
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): Readonly<Record<string, string>> {
  const kept = Object.entries(headers).filter(([name]) => !framing.has(name.toLowerCase()));
  return {
    ...Object.fromEntries(kept),
    'accept-encoding': 'identity',
    'content-length': String(body.byteLength),
  };
}

const framing = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
