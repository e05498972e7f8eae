import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../lambdas/endpoint/address.ts';
import { isSentAsWritten } from '../../../lambdas/endpoint/request-target.ts';
import { parseTarget } from '../../../lambdas/endpoint/target.ts';
import { defaultTargetRules } from '../../fakes/target-rules.ts';
import { deployedRules, faultOf, literalRules, localRules, nat64Rules } from './a-target.ts';

const forbiddenIpv4 = fc
  .tuple(
    fc.constantFrom(
      [0, 8],
      [0x0a000000, 8],
      [0x64400000, 10],
      [0x7f000000, 8],
      [0xa9fe0000, 16],
      [0xa9fea9fe, 32],
      [0xac100000, 12],
      [0xc0000000, 24],
      [0xc0a80000, 16],
      [0xc6120000, 15],
      [0xe0000000, 4],
      [0xf0000000, 4],
      [0xa83f8110, 32],
    ),
    fc.nat(0xffffffff),
  )
  .map(
    ([[start = 0, prefixBits = 0], host]) =>
      (start | (prefixBits === 32 ? 0 : host & (0xffffffff >>> prefixBits))) >>> 0,
  );

/** Every way that `inet_aton` and the URL parser read: one to four parts, each decimal, octal or hexadecimal. */
const spelledIpv4 = fc
  .record({
    value: forbiddenIpv4,
    parts: fc.integer({ min: 1, max: 4 }),
    bases: fc.array(fc.constantFrom(8, 10, 16), { minLength: 4, maxLength: 4 }),
    padding: fc.nat(3),
  })
  .map(({ value, parts, bases, padding }) =>
    split(value, parts)
      .map((part, index) => spell(part, bases[index] ?? 10, padding))
      .join('.'),
  );

const spelledIpv6 = fc
  .tuple(
    forbiddenIpv4,
    fc.constantFrom('::ffff:', '::', '::ffff:0:', '64:ff9b::', '0:0:0:0:0:ffff:', '64:ff9b:1::'),
    fc.constantFrom('', '%25eth0', '%eth0', '%251'),
    fc.boolean(),
  )
  .map(([value, prefix, zone, isDotted]) => {
    const hexadecimal = `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;
    return `[${prefix}${isDotted ? split(value, 4).join('.') : hexadecimal}${zone}]`;
  });

const sixToFour = forbiddenIpv4.map(
  (value) => `[2002:${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}::1]`,
);

const innerIpv6 = fc
  .tuple(
    fc.constantFrom('fd00:ec2', 'fe80', 'fec0', 'ff02', '2001:db8', '3fff', '100', '4000'),
    fc.nat(0xffff),
  )
  .map(([prefix, tail]) => `[${prefix}::${tail.toString(16)}]`);

const forbiddenName = fc.constantFrom(
  'localhost',
  'a.localhost',
  'metadata.google.internal',
  'x.local',
  'intranet',
);

const forbiddenHost = fc.oneof(spelledIpv4, spelledIpv6, sixToFour, innerIpv6, forbiddenName);

/** What a filter that compares texts would not see through. */
const disguise = fc.constantFrom<(host: string) => string>(
  (host) => host,
  (host) => host.toUpperCase(),
  (host) => `${host}.`,
  (host) => `${host}..`,
  (host) => host.replaceAll('.', '。'),
  (host) => host.replaceAll('.', '．'),
  (host) => host.replaceAll(/[0-9]/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  (host) => host.replaceAll(/[1-9]/g, (digit) => String.fromCodePoint(0x245f + Number(digit))),
  (host) => host.replaceAll(/[a-z]/g, (letter) => String.fromCodePoint(letter.charCodeAt(0) + 0xfee0)),
  (host) => host.replaceAll(/[0-9a-z]/g, (character) => `%${character.charCodeAt(0).toString(16)}`),
  (host) => host.replaceAll('.', '%2e'),
  (host) => `[${host}]`,
  (host) => host.replaceAll(/[[\]]/g, ''),
  (host) => `user:pass@${host}`,
  (host) => `@${host}`,
  (host) => `example.com@${host}`,
  (host) => `example.com\\@${host}`,
  (host) => `${host}\\.example.com`,
  (host) => `${host}#.example.com`,
  (host) => `${host}/.example.com`,
  (host) => `${host}?.example.com`,
  (host) => `/${host}`,
  (host) => ` ${host}`,
  (host) => `${host}\t`,
  (host) => `${host.slice(0, 2)}\n${host.slice(2)}`,
  (host) => `${host.slice(0, 2)}\u00ad${host.slice(2)}`,
  (host) => `${host.slice(0, 2)}\u200b${host.slice(2)}`,
  (host) => `${host}%00.example.com`,
);

const forbiddenUrl = fc
  .record({
    scheme: fc.constantFrom(
      'https://',
      'HTTPS://',
      'https:',
      'https:/',
      'https:///',
      'https:\\\\',
      'http://',
      '//',
      '',
    ),
    host: forbiddenHost,
    disguises: fc.array(disguise, { minLength: 1, maxLength: 3 }),
    port: fc.constantFrom('', ':443', ':8443', ':0443', ':'),
    path: fc.constantFrom('', '/', '/x', '?x=1', '/@example.com/'),
  })
  .map(({ scheme, host, disguises, port, path }) => {
    return scheme + disguises.reduce((disguised, next) => next(disguised), host) + port + path;
  });

const publicLabel = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?$/);
const topLevel = fc.constantFrom('com', 'net', 'org', 'io', 'dev', 'example', 'co.uk', 'xn--p1ai');
const publicName = fc
  .tuple(fc.array(publicLabel, { minLength: 1, maxLength: 5 }), topLevel)
  .map(([labels, top]) => [...labels, top].join('.'))
  // A random xn-- label is seldom valid punycode, and such a name cannot exist.
  .filter(
    (name) =>
      !name
        .split('.')
        .slice(0, -1)
        .some((label) => label.startsWith('xn--')),
  );
const ordinaryPath = fc.stringMatching(/^(?:\/[A-Za-z0-9_~%-]{0,12}){0,4}(?:\?[A-Za-z0-9=&:/@._-]{0,20})?$/);
const ordinaryPort = fc.constantFrom('', ':443', ':8443');

const publicAddress = fc.oneof(
  fc
    .tuple(fc.constantFrom(1, 8, 52, 93, 171, 173, 191, 193, 223), fc.nat(255), fc.nat(255), fc.nat(255))
    .map((bytes) => bytes.join('.')),
  fc
    .tuple(
      fc.constantFrom('2606:4700', '2a05:d018', '2400:cb00', '2001:4860', '2600:1f18'),
      fc.array(fc.nat(0xffff), { minLength: 6, maxLength: 6 }),
    )
    .map(([prefix, groups]) => `[${prefix}:${groups.map((group) => group.toString(16)).join(':')}]`),
);

describe('no spelling of a forbidden target gets through', () => {
  it('as it is written', () => {
    fc.assert(
      fc.property(forbiddenHost, ordinaryPort, (host, port) => {
        for (const rules of deployedRules)
          expect(parseTarget(`https://${host}${port}/`, rules).ok).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });

  it('in disguise', () => {
    fc.assert(
      fc.property(forbiddenUrl, (raw) => {
        for (const rules of deployedRules) expect(parseTarget(raw, rules).ok).toBe(false);
      }),
      { numRuns: 10_000 },
    );
  });

  it('with noise in it', () => {
    const noisy = fc
      .tuple(
        spelledIpv4,
        fc.nat(12),
        fc.constantFrom(...Array.from(' \t\n\r\0\\@#%:[]/?\u00a0\u2028\ufeff\u00ad\u200d')),
      )
      .map(([host, at, noise]) => host.slice(0, at) + noise + host.slice(at));
    fc.assert(
      fc.property(noisy, (host) => {
        const parsed = parseTarget(`https://${host}/`, defaultTargetRules);
        expect(parsed.ok).toBe(false);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('ordinary targets get through', () => {
  it('public names', () => {
    fc.assert(
      fc.property(publicName, ordinaryPort, ordinaryPath, (name, port, path) => {
        for (const rules of [...deployedRules, localRules]) {
          const parsed = parseTarget(`https://${name.toUpperCase()}${port}${path}`, rules);
          expect(parsed).toMatchObject({
            ok: true,
            target: { host: name, port: port === ':8443' ? 8443 : 443 },
          });
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('public addresses where the policy allows them', () => {
    fc.assert(
      fc.property(publicAddress, ordinaryPort, ordinaryPath, (address, port, path) => {
        expect(parseTarget(`https://${address}${port}${path}`, literalRules).ok).toBe(true);
        expect(faultOf(`https://${address}${port}${path}`)).toBe('target_not_allowed');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('whatever is allowed', () => {
  const fragments = fc.array(
    fc.constantFrom(
      'https://',
      'example',
      '.',
      'com',
      ':',
      '443',
      '/',
      '?',
      '@',
      '[',
      ']',
      '127',
      '0x',
      '１',
      'ü',
      '%2e',
      '-',
    ),
    { maxLength: 12 },
  );
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl({ withQueryParameters: true, withFragments: true, validSchemes: ['https'] }),
    fragments.map((parts) => parts.join('')),
    fragments.map((parts) => `https://${parts.join('')}`),
    fc.string({ unit: 'grapheme' }).map((text) => `https://${text}.com/${text}`),
    fc.tuple(publicName, ordinaryPort, ordinaryPath).map((parts) => `https://${parts.join('')}`),
    forbiddenUrl,
  );

  it('is a name or public address, an allowed port and an ASCII path, and nothing throws', () => {
    fc.assert(
      fc.property(anything, fc.constantFrom(...deployedRules), (raw, rules) => {
        const parsed = parseTarget(raw, rules);
        if (!parsed.ok) return;
        const { host, port, path, address } = parsed.target;
        expect(rules.ports).toContain(port);
        expect(path).toMatch(/^\/[\x21-\x7e]*$/);
        expect(address === undefined).toBe(isIP(host) === 0);
        if (address === undefined) expect(host).toMatch(/^(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{1,63}$/);
        else expect(isPublicAddress(address, rules)).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });

  it('is sent as it is written, if it is written in the characters of URLs', () => {
    const written = fc.string({ unit: fc.constantFrom(...Array.from(`Az09-._~:/?[]@!$&'()*+,;=%.`)) });
    fc.assert(
      fc.property(fc.constantFrom('/', '?'), written, (first, rest) => {
        const url = `https://example.com:8443${first}${rest}`;
        const parsed = parseTarget(url, defaultTargetRules);
        const path = (first === '?' ? '/' : '') + first + rest;
        expect(parsed).toMatchObject({ ok: true, target: { host: 'example.com', port: 8443, path } });
        expect(isSentAsWritten(url)).toBe(true);
      }),
    );
  });

  it.each(['ü', '"', '<', '>', '{', '}', '|', '^', '`'])(
    'was taken with %s in it before: it goes out encoded, as it did, and no new one is taken',
    (letter) => {
      for (const url of [`https://example.com/${letter}`, `https://example.com/?a=${letter}`]) {
        const { pathname, search } = new URL(url);
        expect(parseTarget(url, defaultTargetRules)).toMatchObject({ target: { path: pathname + search } });
        expect(isSentAsWritten(url)).toBe(false);
      }
      expect(isSentAsWritten(`https://bücher.example/`)).toBe(true);
    },
  );

  it('has one spelling of its host, and means the same again', () => {
    fc.assert(
      fc.property(anything, (raw) => {
        const parsed = parseTarget(raw, nat64Rules);
        if (!parsed.ok) return;
        expect(parseTarget(parsed.target.href, nat64Rules)).toEqual(parsed);
        const url = new URL(parsed.target.href);
        expect(url.hostname.replaceAll(/[[\]]/g, '')).toBe(parsed.target.host);
      }),
      { numRuns: 10_000 },
    );
  });
});

/** As an attempt decides: the URL, then every answer; `answers` is what a resolver would say. */

/** The last part takes all bytes that are left, as in `127.1`. */
function split(value: number, parts: number): readonly number[] {
  const bytes = [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff);
  const last = bytes.slice(parts - 1).reduce((sum, byte) => sum * 256 + byte, 0);
  return [...bytes.slice(0, parts - 1), last];
}

function spell(part: number, base: number, padding: number): string {
  if (base === 10) return String(part);
  return (base === 16 ? '0x' : '0') + '0'.repeat(padding) + part.toString(base);
}
