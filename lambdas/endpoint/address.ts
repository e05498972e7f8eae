export interface AddressRules {
  /** The sender's subnet has only IPv6 and a DNS64 resolver: 64:ff9b::/96 stands for the IPv4 address it carries. */
  readonly nat64?: boolean;
  /** Only the local runtime says so: receivers on this machine are allowed. */
  readonly loopback?: boolean;
}

/**
 * Whether the sender may connect to this address.
 *
 * IPv4 is refused by list: IANA's special-purpose registry, plus 168.63.129.16 (Azure's wire server, which
 * lies in public space). IPv6 is allowed by list, because a list of what to refuse is never complete: only
 * 2000::/3, without the parts that tunnel to IPv4 or are never routed. IPv4-mapped addresses are judged as
 * IPv4; NAT64 only if `nat64` says that it is in use, else it would be a second spelling of every inner host.
 *
 * Anything that is not exactly one address is forbidden, zone ids included, and nothing throws.
 * `net.BlockList` is not used: its `check` answers false, "not on the list", for a wrong family, for a zone
 * id and for what is no address at all, so a guard made of it fails open.
 *
 * Source: RFC 6890 and the IANA IPv4 and IPv6 special-purpose address registries.
 */
export function isPublicAddress(address: string, rules: AddressRules = {}): boolean {
  const bytes = parseAddress(address);
  if (bytes === undefined) return false;
  if (rules.loopback === true && isInside(bytes, loopback)) return true;
  // The carried address is judged without `loopback`: a NAT64 gateway's loopback is not this machine's.
  if (rules.nat64 === true && isInside(bytes, nat64)) return isPublicIpv4(bytes.slice(12));
  return bytes.length === 4
    ? isPublicIpv4(bytes)
    : isInside(bytes, globalIpv6) && !isInside(bytes, refusedIpv6);
}

/** Whether this is 127.0.0.0/8 or ::1, in any spelling of the address; false for what is no address. */
export function isLoopbackAddress(address: string): boolean {
  const bytes = parseAddress(address);
  return bytes !== undefined && isInside(bytes, loopback);
}

/**
 * The one text of an address, for comparing `socket.remoteAddress` with the list that was checked: IPv4-mapped
 * becomes IPv4 (a dual-stack socket reports `::ffff:192.0.2.1`), IPv6 is written as RFC 5952 says.
 * `undefined` for anything that is not an address, also with a zone id: such a socket is never on the list.
 */
export function normalizeAddress(address: string): string | undefined {
  const bytes = parseAddress(address);
  if (bytes === undefined) return undefined;
  if (bytes.length === 4) return bytes.join('.');
  // URL already writes IPv6 by RFC 5952 (longest run of zeros, lower case), and eight groups always parse.
  return new URL(`https://[${toGroups(bytes).join(':')}]/`).hostname.slice(1, -1);
}

/** 4 bytes for IPv4 and IPv4-mapped, 16 for other IPv6. */
type Bytes = readonly number[];

interface Range {
  readonly start: Bytes;
  readonly prefixBits: number;
}

/** `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`: nothing longer is an address. */
const addressLengthMax = 45;

const refusedIpv4 = toRanges([
  '0.0.0.0/8', // "this network"; 0.0.0.0 reaches loopback on Linux
  '10.0.0.0/8',
  '100.64.0.0/10', // carrier-grade NAT, also used inside VPCs
  '127.0.0.0/8', // the Lambda runtime API and the extensions listen here
  '169.254.0.0/16', // instance metadata, task credentials, resolver, the newer Lambda runtime API
  '172.16.0.0/12',
  '192.0.0.0/24', // protocol assignments; Oracle's metadata
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16',
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarking
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
  '168.63.129.16/32', // Azure's wire server
]);

const globalIpv6 = toRanges(['2000::/3']);

const refusedIpv6 = toRanges([
  '2001::/23', // protocol assignments: Teredo, benchmarking, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4 carries an IPv4 address
  '3fff::/20', // documentation (RFC 9637)
  '2620:4f:8000::/48', // AS112
]);

const nat64 = toRanges(['64:ff9b::/96']);

const loopback = toRanges(['127.0.0.0/8', '::1/128']);

function isPublicIpv4(bytes: Bytes): boolean {
  return !isInside(bytes, refusedIpv4);
}

function isInside(bytes: Bytes, ranges: readonly Range[]): boolean {
  return ranges.some(
    ({ start, prefixBits }) =>
      start.length === bytes.length && toBits(bytes).startsWith(toBits(start).slice(0, prefixBits)),
  );
}

function toBits(bytes: Bytes): string {
  return bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('');
}

function toRanges(blocks: readonly string[]): readonly Range[] {
  return blocks.map((block) => {
    const [address = '', prefixBits] = block.split('/');
    const start = parseAddress(address);
    // A range that matches nothing would silently open the guard.
    if (start === undefined) throw new Error(`not an address block: ${block}`);
    return { start, prefixBits: Number(prefixBits) };
  });
}

function parseAddress(text: string): Bytes | undefined {
  if (text.length > addressLengthMax) return undefined;
  if (!text.includes(':')) return parseIpv4(text);
  const bytes = parseIpv6(text);
  return bytes !== undefined && isMappedIpv4(bytes) ? bytes.slice(12) : bytes;
}

/**
 * Four decimal numbers and nothing else. Short, octal and hexadecimal forms are refused rather than read,
 * since resolvers disagree about `010.0.0.1`.
 */
function parseIpv4(text: string): Bytes | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** RFC 4291, 2.2: eight groups, at most one `::` for one or more of them, the last two perhaps as IPv4. */
function parseIpv6(text: string): Bytes | undefined {
  const [left, right, ...more] = withoutDottedTail(text).split('::').map(parseGroups);
  if (left === undefined || more.length > 0) return undefined;
  if (right === undefined) return toBytes(left);
  const missing = 8 - left.length - right.length;
  return missing < 1 ? undefined : toBytes([...left, ...Array<number>(missing).fill(0), ...right]);
}

function withoutDottedTail(text: string): string {
  const tailAt = text.lastIndexOf(':') + 1;
  const tail = parseIpv4(text.slice(tailAt));
  return tail === undefined ? text : text.slice(0, tailAt) + toGroups(tail).join(':');
}

/** What is no group becomes NaN, which `toBytes` refuses. */
function parseGroups(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').map((group) => (/^[0-9a-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : NaN));
}

function toBytes(groups: readonly number[]): Bytes | undefined {
  if (groups.length !== 8 || groups.some(Number.isNaN)) return undefined;
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

function toGroups(bytes: Bytes): readonly string[] {
  return bytes.flatMap((byte, index) =>
    index % 2 === 0 ? [((byte << 8) | (bytes[index + 1] ?? 0)).toString(16)] : [],
  );
}

/** ::ffff:0:0/96 */
function isMappedIpv4(bytes: Bytes): boolean {
  return bytes.slice(0, 12).every((byte, index) => byte === (index < 10 ? 0 : 0xff));
}
