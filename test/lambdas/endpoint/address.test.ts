import { BlockList, SocketAddress, isIP } from 'node:net';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isLoopbackAddress, isPublicAddress, normalizeAddress } from '../../../lambdas/endpoint/address.ts';

const forbiddenIpv4Blocks = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['168.63.129.16', 32],
] as const;

/** Node's own reading of the same list; sound here, where family and syntax are known to be right. */
const forbiddenIpv4 = new BlockList();
for (const [start, prefixBits] of forbiddenIpv4Blocks) forbiddenIpv4.addSubnet(start, prefixBits, 'ipv4');

const globalIpv6 = new BlockList();
globalIpv6.addSubnet('2000::', 3, 'ipv6');

const forbiddenIpv6 = new BlockList();
forbiddenIpv6.addSubnet('2001::', 23, 'ipv6');
forbiddenIpv6.addSubnet('2001:db8::', 32, 'ipv6');
forbiddenIpv6.addSubnet('2002::', 16, 'ipv6');
forbiddenIpv6.addSubnet('3fff::', 20, 'ipv6');
forbiddenIpv6.addSubnet('2620:4f:8000::', 48, 'ipv6');

const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((bytes) => bytes.join('.'));

/** Half of them inside a forbidden block, which a uniform choice would seldom hit. */
const anyIpv4 = fc.oneof(
  ipv4,
  fc.tuple(fc.constantFrom(...forbiddenIpv4Blocks), fc.nat(0xffffffff)).map(([[start, prefixBits], host]) => {
    const mask = prefixBits === 32 ? 0 : 0xffffffff >>> prefixBits;
    return toDotted((toNumber(start) | (host & mask)) >>> 0);
  }),
);

const interestingGroup = fc.constantFrom(
  0,
  1,
  0x64,
  0x2000,
  0x2001,
  0xdb8,
  0x2002,
  0x2620,
  0x4f,
  0x8000,
  0x3fff,
  0xffff,
);
const group = fc.oneof(interestingGroup, fc.nat(0xffff)).map((value) => value.toString(16));
const anyIpv6 = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map((groups) => groups.join(':'))
  .filter((address) => !address.startsWith('0:0:0:0:0:ffff:'));

describe('isPublicAddress', () => {
  it.each([
    '1.1.1.1',
    '54.170.1.1',
    '93.184.215.14',
    '2606:4700:4700::1111',
    '2a05:d018:1::10',
    '::ffff:93.184.215.14',
    '2000::',
    '2001:200::1',
    '3ffe:ffff::',
  ])('%s may be reached', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    ['instance metadata', '169.254.169.254'],
    ['instance metadata on IPv6', 'fd00:ec2::254'],
    ['task credentials', '169.254.170.2'],
    ['pod identity', '169.254.170.23'],
    ['pod identity on IPv6', 'fd00:ec2::23'],
    ['the resolver', '169.254.169.253'],
    ['the resolver on IPv6', 'fd00:ec2::253'],
    ['the Lambda runtime API', '127.0.0.1'],
    ['the newer Lambda runtime API', '169.254.100.1'],
    ["Azure's wire server", '168.63.129.16'],
    ["Oracle's metadata", '192.0.0.192'],
  ])('%s is forbidden', (_name, address) => {
    expect(isPublicAddress(address)).toBe(false);
    expect(isPublicAddress(address, { nat64: true })).toBe(false);
  });

  it.each(forbiddenIpv4Blocks.map(([start, prefixBits]) => ({ start, prefixBits })))(
    '$start/$prefixBits is forbidden from its first to its last address, and no further',
    ({ start, prefixBits }) => {
      const first = toNumber(start);
      const last = first + 2 ** (32 - prefixBits) - 1;

      expect(isPublicAddress(toDotted(first))).toBe(false);
      expect(isPublicAddress(toDotted(last))).toBe(false);
      for (const outside of [first - 1, last + 1].filter((value) => value >= 0 && value <= 0xffffffff)) {
        const belongsToAnother = forbiddenIpv4.check(toDotted(outside));
        expect(isPublicAddress(toDotted(outside))).toBe(!belongsToAnother);
      }
    },
  );

  it.each([
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['IPv4-compatible', '::8.8.8.8'],
    ['ISATAP-like', '::5efe:7f00:1'],
    ['IPv4-translated', '::ffff:0:8.8.8.8'],
    ['NAT64, not configured', '64:ff9b::8.8.8.8'],
    ['local NAT64', '64:ff9b:1::8.8.8.8'],
    ['discard-only', '100::1'],
    ['just below 2000::/3', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['benchmarking', '2001:2::1'],
    ['ORCHID', '2001:20::1'],
    ['end of 2001::/23', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['documentation', '2001:db8::1'],
    ['6to4', '2002:808:808::1'],
    ['AS112', '2620:4f:8000::1'],
    ['newer documentation', '3fff:fff::1'],
    ['just above 2000::/3', '4000::'],
    ['SRv6', '5f00::1'],
    ['unique local', 'fd12:3456:789a::1'],
    ['link-local', 'fe80::1'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['mapped loopback', '::ffff:127.0.0.1'],
    ['mapped metadata in hexadecimal', '0:0:0:0:0:FFFF:A9FE:A9FE'],
  ])('%s IPv6 is forbidden', (_name, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    '',
    ' ',
    'example.com',
    'localhost',
    '1.1.1',
    '1.1.1.1.',
    '1.1.1.1.1',
    '1.1.1.256',
    '01.1.1.1',
    '0x1.1.1.1',
    '1.1.1.1 ',
    ' 1.1.1.1',
    '1.1.1.1\n',
    '1.1.1.1:443',
    '1.1.1.1/32',
    '+1.1.1.1',
    '１.1.1.1',
    '16843009',
    '[2606:4700::1]',
    '2606:4700::1%eth0',
    '2606:4700::1%25eth0',
    '2606:4700::1/128',
    '2606:4700:::1',
    '2606::4700::1',
    '2606:4700:1',
    '2606:4700::1:',
    ':2606:4700::1',
    '2606:1:2:3:4:5:6:7:8',
    '2606:1:2:3:4:5:6:7::8',
    '2606:04700::1',
    '2606:470g::1',
    '::ffff:1.1.1',
    '::ffff:1.1.1.256',
    '::ffff:01.1.1.1',
    '1.1.1.1::',
    '2606:1:2:3:4:5:6:1.1.1.1',
    'undefined',
  ])('%j is not an address, so it is forbidden', (text) => {
    expect(isPublicAddress(text)).toBe(false);
    expect(isPublicAddress(text, { nat64: true, loopback: true })).toBe(false);
  });

  it('judges every IPv4 address by the list, mapped or not', () => {
    fc.assert(
      fc.property(anyIpv4, (address) => {
        const isAllowed = !forbiddenIpv4.check(address);
        expect(isPublicAddress(address)).toBe(isAllowed);
        expect(isPublicAddress(`::ffff:${address}`)).toBe(isAllowed);
        expect(isPublicAddress(`::ffff:${address}`, { nat64: true })).toBe(isAllowed);
      }),
      { numRuns: 2000 },
    );
  });

  it('judges every IPv6 address by the positive rule', () => {
    fc.assert(
      fc.property(anyIpv6, (address) => {
        const isAllowed = globalIpv6.check(address, 'ipv6') && !forbiddenIpv6.check(address, 'ipv6');
        expect(isPublicAddress(address)).toBe(isAllowed);
        expect(isPublicAddress(address.toUpperCase())).toBe(isAllowed);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws, and allows nothing that Node would not call an address', () => {
    const nearlyAddresses = fc.string({
      unit: fc.constantFrom(...Array.from('0123456789abcfxF.:%[]/ ١１')),
      maxLength: 50,
    });
    const spoiled = fc
      .tuple(fc.oneof(anyIpv4, anyIpv6), fc.nat(40), fc.string({ unit: 'binary', maxLength: 2 }))
      .map(([address, at, noise]) => address.slice(0, at) + noise + address.slice(at));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), nearlyAddresses, spoiled), (text) => {
        const isAllowed = isPublicAddress(text, { nat64: true, loopback: true });
        if (isIP(text) === 0 || text.includes('%')) expect(isAllowed).toBe(false);
      }),
      { numRuns: 5000 },
    );
  });

  it('reads a very long text without trouble', () => {
    expect(isPublicAddress(':'.repeat(1_000_000))).toBe(false);
    expect(isPublicAddress('1.'.repeat(1_000_000))).toBe(false);
  });
});

describe('isPublicAddress in a subnet with NAT64', () => {
  it('judges 64:ff9b::/96 by the IPv4 address it carries', () => {
    fc.assert(
      fc.property(anyIpv4, (address) => {
        expect(isPublicAddress(`64:ff9b::${address}`, { nat64: true })).toBe(!forbiddenIpv4.check(address));
      }),
    );
  });

  it.each(['64:ff9b:1::8.8.8.8', '64:ff9b::1:808:808', '64:ff9c::8.8.8.8', '::64:ff9b:8.8.8.8'])(
    '%s stays forbidden, since it is another prefix',
    (address) => {
      expect(isPublicAddress(address, { nat64: true })).toBe(false);
    },
  );

  it('does not take the loopback of the far side for this machine', () => {
    expect(isPublicAddress('64:ff9b::127.0.0.1', { nat64: true, loopback: true })).toBe(false);
  });
});

describe('isPublicAddress on a laptop', () => {
  it.each(['127.0.0.1', '127.255.255.255', '::1', '::ffff:127.0.0.1'])('%s may be reached', (address) => {
    expect(isPublicAddress(address, { loopback: true })).toBe(true);
    expect(isPublicAddress(address)).toBe(false);
  });

  it('nothing else opens', () => {
    fc.assert(
      fc.property(fc.oneof(anyIpv4, anyIpv6), (address) => {
        if (isLoopbackAddress(address)) return;
        expect(isPublicAddress(address, { loopback: true })).toBe(isPublicAddress(address));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('isLoopbackAddress', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1'])('%s is', (address) => {
    expect(isLoopbackAddress(address)).toBe(true);
  });

  it.each(['128.0.0.1', '126.255.255.255', '0.0.0.0', '::', '::2', '::127.0.0.1', '127.1', 'localhost', ''])(
    '%j is not',
    (address) => {
      expect(isLoopbackAddress(address)).toBe(false);
    },
  );
});

describe('normalizeAddress', () => {
  it.each([
    ['93.184.215.14', '93.184.215.14'],
    ['::ffff:93.184.215.14', '93.184.215.14'],
    ['::FFFF:5DB8:D70E', '93.184.215.14'],
    ['2606:4700:0:0:0:0:0:1111', '2606:4700::1111'],
    ['2606:4700:0000::1111', '2606:4700::1111'],
    ['2A05:D018:1::10', '2a05:d018:1::10'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['64:ff9b::1.1.1.1', '64:ff9b::101:101'],
    ['::', '::'],
  ])('%s is written %s', (address, text) => {
    expect(normalizeAddress(address)).toBe(text);
  });

  it.each(['', 'example.com', 'fe80::1%eth0', '[::1]', '1.1.1'])('%j has no text', (text) => {
    expect(normalizeAddress(text)).toBeUndefined();
  });

  it('gives one text to every spelling of an address, and that text is the same address', () => {
    fc.assert(
      fc.property(anyIpv6, (address) => {
        const { address: nodeText } = new SocketAddress({ address, family: 'ipv6' });
        const text = normalizeAddress(address);
        expect(text).toBe(normalizeAddress(nodeText));
        expect(text).toBe(normalizeAddress(text ?? ''));
        expect(text).toBe(normalizeAddress(address.toUpperCase()));
        expect(isIP(text ?? '')).toBe(6);
      }),
    );
  });

  it('gives a mapped address the text of the IPv4 address it is', () => {
    fc.assert(
      fc.property(anyIpv4, (address) => {
        expect(normalizeAddress(`::ffff:${address}`)).toBe(address);
        expect(normalizeAddress(address)).toBe(address);
      }),
    );
  });

  it('reads exactly what Node reads as an address without zone', () => {
    const nearlyAddresses = fc.oneof(
      fc.string({ unit: fc.constantFrom(...Array.from('0129af.:')), maxLength: 24 }),
      fc
        .array(fc.constantFrom('0', '1', 'ffff', ':', '::', '1.2.3.4', '256.1.1.1', '.', '00001'), {
          maxLength: 16,
        })
        .map((parts) => parts.join('')),
      fc
        .array(fc.constantFrom('0', 'a', '', '1.2.3.4', 'ffff'), { maxLength: 10 })
        .map((parts) => parts.join(':')),
    );
    fc.assert(
      fc.property(nearlyAddresses, (text) => {
        expect(normalizeAddress(text) !== undefined).toBe(isIP(text) !== 0);
      }),
      { numRuns: 20_000 },
    );
  });
});

function toNumber(dotted: string): number {
  return dotted.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

function toDotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
}
