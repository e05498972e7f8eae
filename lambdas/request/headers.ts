import type { Target } from '../endpoint/target.ts';

/**
 * The head of a request as it goes out: the caller's headers, then those that belong to the connection. Whatever a
 * caller says about where the request goes or where it ends is dropped: two readings of one request are how requests
 * are smuggled. A name is written once, whatever its capitals.
 *
 * @throws TypeError for what would break out of its line
 */
export function requestHead(
  target: Target,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
): string {
  const kept = Object.entries(headers).filter(([name]) => !framing.has(name.toLowerCase()));
  const fields = new Map([
    ...anything,
    ...kept.map(([name, value]) => [name.toLowerCase(), `${name}: ${valid(name, value)}`] as const),
  ]);
  if (!/^\/[\x21-\x7e]*$/.test(target.path)) throw new TypeError('a path has visible ASCII only');
  return [
    `POST ${target.path} HTTP/1.1`,
    `Host: ${hostOf(target)}`,
    ...fields.values(),
    'accept-encoding: identity',
    `content-length: ${String(body.byteLength)}`,
    'Connection: close',
    '\r\n',
  ].join('\r\n');
}

/** That any answer will do is what no header would mean, too; but firewalls take requests without one for a robot's. */
const anything = [['accept', 'accept: */*']] as const;

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

/** A token, and what may stand in a value; CR or LF would begin another header. Source: RFC 9110, 5.1 and 5.5. */
const tokenPattern = /^[\w!#$%&'*+\-.^`|~]+$/;
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;

function valid(name: string, value: string): string {
  if (tokenPattern.test(name) && valuePattern.test(value)) return value;
  throw new TypeError('a header that would break out of its line');
}

function hostOf({ host, port }: Target): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === 443 ? name : `${name}:${String(port)}`;
}
