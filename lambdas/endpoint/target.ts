import { isLoopbackAddress, isPublicAddress, normalizeAddress } from './address.ts';
import { requestTargetOf } from './request-target.ts';

/** Where a delivery goes, as plain data: the sender connects by these fields and never reads the URL again. */
export interface Target {
  /** The URL as it is used: the host in its one spelling, path and query as they are sent. */
  readonly href: string;
  /** ASCII, lower case, without root dot and brackets: for the resolver, for SNI and the certificate check. */
  readonly host: string;
  readonly port: number;
  /** With the query, as it is written in the URL; begins with a slash, all visible ASCII. */
  readonly path: string;
  /**
   * The host when it is an IP literal, in the text of `normalizeAddress`. Node never calls `lookup` for a
   * literal, so it has been checked here.
   */
  readonly address?: string;
}

export interface TargetRules {
  readonly ports: readonly number[];
  /** Public IP addresses may stand in place of a name; false by default, as they have no stable TLS identity. */
  readonly ipLiterals: boolean;
  /** Host names of this deployment's own API, where a delivery would make a loop. */
  readonly ownHosts: readonly string[];
  readonly nat64: boolean;
  /** Only the local runtime says so: `localhost`, `*.localhost`, 127.0.0.0/8 and ::1 are allowed on any port. */
  readonly loopback: boolean;
}

/** `invalid_url`: cannot be read in one way only. `target_not_allowed`: a forbidden name, address or port. */
export type TargetFault = 'invalid_url' | 'https_required' | 'target_not_allowed';

export type ParsedTarget =
  | { readonly ok: true; readonly target: Target }
  | { readonly ok: false; readonly code: TargetFault; readonly message: string };

/**
 * Reads an endpoint's URL, when it is stored and again before every attempt. It decides by the text alone:
 * the addresses a name resolves to are checked with `isPublicAddress` at the time of the connection.
 *
 * The raw text is judged first, because `new URL` repairs what should be refused (tabs and newlines vanish,
 * `\` becomes `/`, `%61` becomes `a`); then the host is taken only from the parsed URL, because only that
 * reading turns `2130706433` and `①②⑦.0.0.1` into the address they mean.
 *
 * Policies that test/data/ssrf-cases.json leaves to us: a host name with an underscore is refused, always (it
 * is no host name by RFC 1123, and certificates may not name it); an IP literal is refused unless `ipLiterals`.
 *
 * Never throws. A message is one sentence for the person who typed the URL; it names no address.
 * Source: WHATWG URL; RFC 6761, 6762, 7686, 8375, 9476 for the names.
 */
export function parseTarget(raw: string, rules: TargetRules): ParsedTarget {
  const rawRefusal = findRawRefusal(raw);
  if (rawRefusal !== undefined) return rawRefusal;
  const url = URL.parse(raw);
  if (url === null) return invalid('The URL has no valid host name or port.');
  const target = toTarget(url, raw);
  return (
    findLengthRefusal(target.href) ??
    findHostRefusal({ raw, target, rules }) ??
    findPortRefusal(target, rules) ?? { ok: true, target }
  );
}

type Refusal = Extract<ParsedTarget, { ok: false }>;

/** Old proxies cut longer ones. */
const hrefLengthMax = 2048;

/** RFC 1035, 2.3.4, less the length bytes. */
const hostLengthMax = 253;

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Names that mean something else on every network, or nothing; a resolver's search list may answer for them. */
const forbiddenSuffixes = [
  'localhost',
  'local',
  'localdomain', // `sandbox.localdomain` is the Lambda runtime's own
  'internal', // cloud metadata and private DNS
  'intranet',
  'lan',
  'home',
  'corp',
  'home.arpa',
  'invalid',
  'test',
  'onion',
  'alt',
];

function findRawRefusal(raw: string): Refusal | undefined {
  if (raw === '') return invalid('Enter a URL, for example https://example.com/webhooks.');
  const lengthRefusal = findLengthRefusal(raw);
  if (lengthRefusal !== undefined) return lengthRefusal;
  // \s has U+00A0, U+2028, U+2029 and U+FEFF; Cf the zero-width and direction marks, which a host silently loses.
  if (/[\s\\\p{Cc}\p{Cf}\p{Cs}]/u.test(raw)) {
    return invalid('The URL must not contain spaces, control or invisible characters, or backslashes.');
  }
  if (!/^https:\/\//i.test(raw)) return refusal('https_required', 'The URL must start with https://.');
  if (raw.includes('#'))
    return invalid('The URL must not have a fragment, the part from # on: it is never sent.');
  const authority = authorityOf(raw);
  if (authority.includes('@')) return invalid('The URL must not contain a user name or password.');
  if (authority.includes('%')) return invalid('The host name must not contain percent signs.');
  if (!/^(?:\[[^[\]]+\]|[^:[\]]+)(?::[1-9][0-9]{0,4})?$/.test(authority)) {
    return invalid('After https:// the URL needs a host name, and after a colon a port number.');
  }
  return undefined;
}

function findLengthRefusal(href: string): Refusal | undefined {
  if (href.length <= hrefLengthMax) return undefined;
  return invalid(`The URL must not be longer than ${hrefLengthMax} characters.`);
}

/** What stands between `https://` and the path. With no backslash in the text, the URL parser ends it here too. */
function authorityOf(raw: string): string {
  return raw.slice('https://'.length).split(/[/?]/, 1).join('');
}

function toTarget(url: URL, raw: string): Target {
  const port = url.port === '' ? 443 : Number(url.port);
  const path = requestTargetOf(raw.slice('https://'.length + authorityOf(raw).length), url);
  const host = url.hostname.replace(/^\[|\]$|\.$/g, '');
  const hostInUrl = host.includes(':') ? `[${host}]` : host;
  const href = `https://${hostInUrl}${port === 443 ? '' : `:${port}`}${path}`;
  const address = normalizeAddress(host);
  return { href, host, port, path, ...(address === undefined ? {} : { address }) };
}

function findHostRefusal(given: { raw: string; target: Target; rules: TargetRules }): Refusal | undefined {
  const { raw, target, rules } = given;
  if (rules.ownHosts.some((own) => withoutRootDot(own.toLowerCase()) === target.host)) {
    return notAllowed('The URL must not point back at this webhook service.');
  }
  if (target.address === undefined) return findNameRefusal(target.host, rules);
  return findAddressRefusal(target.address, rules) ?? findSpellingRefusal(raw, target.host);
}

function withoutRootDot(name: string): string {
  return name.replace(/\.$/, '');
}

/** A name whose last label is a number never gets here: the URL parser reads it as IPv4, or not at all. */
function findNameRefusal(host: string, rules: TargetRules): Refusal | undefined {
  const labels = host.split('.');
  if (host.length > hostLengthMax || !labels.every((part) => label.test(part))) {
    return invalid(
      'The host name may have only letters, digits and hyphens between its dots, 63 in each part at most.',
    );
  }
  if (rules.loopback && isLocalhost(host)) return undefined;
  if (labels.length < 2) return notAllowed('The host name must be a full public name such as example.com.');
  if (forbiddenSuffixes.some((suffix) => host === suffix || host.endsWith(`.${suffix}`))) {
    return notAllowed('The host name must be public, and this one is reserved for private networks.');
  }
  return undefined;
}

function findAddressRefusal(address: string, rules: TargetRules): Refusal | undefined {
  if (rules.loopback && isLoopbackAddress(address)) return undefined;
  if (!rules.ipLiterals) return notAllowed('Use a host name in the URL instead of an IP address.');
  if (!isPublicAddress(address, { nat64: rules.nat64 }))
    return notAllowed('The IP address in the URL is not public.');
  return undefined;
}

/** Allowed or not, an IPv4 address has one spelling: what reads `0x01010101` otherwise would go elsewhere. */
function findSpellingRefusal(raw: string, host: string): Refusal | undefined {
  const written = authorityOf(raw);
  if (host.includes(':') || written.replace(/:[0-9]+$/, '') === host) return undefined;
  return invalid('Write the IP address as four decimal numbers.');
}

function findPortRefusal(target: Target, rules: TargetRules): Refusal | undefined {
  if (rules.ports.includes(target.port)) return undefined;
  if (rules.loopback && (isLocalhost(target.host) || isLoopbackAddress(target.host))) return undefined;
  return notAllowed(`The port must be one of ${rules.ports.join(', ')}.`);
}

function isLocalhost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

function invalid(message: string): Refusal {
  return refusal('invalid_url', message);
}

function notAllowed(message: string): Refusal {
  return refusal('target_not_allowed', message);
}

function refusal(code: TargetFault, message: string): Refusal {
  return { ok: false, code, message };
}
