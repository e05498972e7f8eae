import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

import { isPublicAddress } from '../../../lambdas/endpoint/address.ts';
import { defaultTargetRules, parseTarget, type TargetRules } from '../../../lambdas/endpoint/target.ts';

const literalRules: TargetRules = { ...defaultTargetRules, ipLiterals: true };
const nat64Rules: TargetRules = { ...literalRules, nat64: true };
const localRules: TargetRules = { ...defaultTargetRules, loopback: true };
const deployedRules = [defaultTargetRules, literalRules, nat64Rules];

const ssrfCases = z
  .object({
    cases: z.array(
      z.object({
        id: z.string(),
        group: z.string(),
        url: z.string(),
        why: z.string(),
        kind: z.string().optional(),
        policy: z.string().optional(),
        resolves_to: z.array(z.string()).optional(),
        expected: z.enum(['allow', 'reject']),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../../data/ssrf-cases.json', import.meta.url), 'utf8')))
  .cases // What becomes of a redirect is seen when it is answered, not in the URL.
  .filter(({ kind }) => kind !== 'redirect');

describe('the collected attacks and ordinary receivers', () => {
  it.each(ssrfCases)('$id: $expected, $why', ({ url, resolves_to: answers, expected }) => {
    expect(verdict(url, answers)).toBe(expected);
  });

  it.each(ssrfCases.filter(({ group }) => group === 'dns-answer'))(
    '$id is refused for its addresses, not for its URL',
    ({ url, resolves_to: answers = [] }) => {
      expect(parseTarget(url, defaultTargetRules).ok).toBe(true);
      expect(answers.every((answer) => isPublicAddress(answer))).toBe(false);
    },
  );

  it.each(ssrfCases.filter(({ policy, expected }) => policy === undefined && expected === 'reject'))(
    '$id is refused also where public IP addresses are allowed',
    ({ url, resolves_to: answers }) => {
      expect(verdict(url, answers, literalRules)).toBe('reject');
    },
  );

  it('one forbidden answer among public ones refuses all, and no answer is not a permission', () => {
    expect(verdict('https://example.com/', ['93.184.215.14', '10.0.0.1'])).toBe('reject');
    expect(verdict('https://example.com/', ['2606:2800:21f::1', '::ffff:10.0.0.1'])).toBe('reject');
    expect(verdict('https://example.com/', [])).toBe('reject');
  });
});

describe('parseTarget', () => {
  it('gives what the sender connects by', () => {
    expect(parseTarget('HTTPS://Hooks.Example.COM.:8443/In/./box?Key=a%20b', defaultTargetRules)).toEqual({
      ok: true,
      target: {
        href: 'https://hooks.example.com:8443/In/box?Key=a%20b',
        host: 'hooks.example.com',
        port: 8443,
        path: '/In/box?Key=a%20b',
      },
    });
  });

  it.each([
    ['https://example.com', 'https://example.com/'],
    ['https://example.com?a=1', 'https://example.com/?a=1'],
    ['https://example.com:443/', 'https://example.com/'],
    ['https://example.com./', 'https://example.com/'],
    ['https://example.com/a/../b', 'https://example.com/b'],
    ['https://example.com/ü', 'https://example.com/%C3%BC'],
    ['https://bücher.example/hook', 'https://xn--bcher-kva.example/hook'],
    ['https://example。com/', 'https://example.com/'],
    ['https://example.com/@user:pass@x', 'https://example.com/@user:pass@x'],
    ['https://example.com/?to=http://127.0.0.1/', 'https://example.com/?to=http://127.0.0.1/'],
    ['https://10.example.com/', 'https://10.example.com/'],
    ['https://local.example.com/', 'https://local.example.com/'],
    ['https://mylocal.dev/', 'https://mylocal.dev/'],
    ['https://shop.contest/', 'https://shop.contest/'],
    [`https://${'a'.repeat(63)}.example.com/`, `https://${'a'.repeat(63)}.example.com/`],
  ])('%s is allowed as %s', (raw, href) => {
    expect(parseTarget(raw, defaultTargetRules)).toMatchObject({ ok: true, target: { href } });
  });

  it.each([
    '',
    'https://',
    'https:///',
    'https://?',
    'https://.',
    'https://:443/',
    'https://[]/',
    'https://[:::]/',
  ])('%j has no host, so it is no URL', (raw) => {
    expect(faultOf(raw)).toBe('invalid_url');
  });

  it.each([
    'http://example.com/',
    'ftp://example.com/',
    'example.com/hook',
    '//example.com/',
    'https:example.com',
    'https:/example.com',
    'https//example.com',
    'httpss://example.com',
    'javascript:alert(1)',
    'wss://example.com/',
  ])('%s does not start with https://', (raw) => {
    expect(faultOf(raw)).toBe('https_required');
  });

  it.each([
    ['a leading space', ' https://example.com/'],
    ['a trailing newline', 'https://example.com/\n'],
    ['a tab in the scheme', 'ht\ttps://example.com/'],
    ['a carriage return in the host', 'https://exa\rmple.com/'],
    ['NUL', 'https://example.com/\0'],
    ['DEL', 'https://example.com/\x7f'],
    ['a no-break space', 'https://example.com/\u00a0'],
    ['a line separator', 'https://example.com/\u2028'],
    ['a paragraph separator', 'https://example.com/\u2029'],
    ['a byte order mark', '\ufeffhttps://example.com/'],
    ['a zero-width space', 'https://exa\u200bmple.com/'],
    ['a soft hyphen', 'https://exa\u00admple.com/'],
    ['a direction override', 'https://example.com/\u202e'],
    ['half a surrogate pair', 'https://example.com/\ud800'],
    ['a backslash', 'https://example.com\\x'],
    ['a fragment', 'https://example.com/x#y'],
    ['an empty fragment', 'https://example.com/#'],
    ['a user name', 'https://user@example.com/'],
    ['an empty user name', 'https://@example.com/'],
    ['an empty user name and password', 'https://:@example.com/'],
    ['a percent sign in the host', 'https://ex%61mple.com/'],
    ['a full-width percent sign', 'https://ex％61mple.com/'],
    ['a full-width slash', 'https://example.com／x/'],
    ['a full-width at sign', 'https://user＠example.com/'],
    ['an empty port', 'https://example.com:/'],
    ['port zero', 'https://example.com:0/'],
    ['a padded port', 'https://example.com:0443/'],
    ['a signed port', 'https://example.com:+443/'],
    ['a port out of range', 'https://example.com:65979/'],
    ['two ports', 'https://example.com:443:443/'],
    ['an empty label', 'https://example..com/'],
    ['a leading dot', 'https://.example.com/'],
    ['two root dots', 'https://example.com../'],
    ['a label that begins with a hyphen', 'https://-a.example.com/'],
    ['a label that ends with a hyphen', 'https://a-.example.com/'],
    ['an underscore', 'https://foo_bar.example.com/'],
    ['another sign', 'https://foo!bar.example.com/'],
    ['a label of 64', `https://${'a'.repeat(64)}.example.com/`],
    ['an international label of 64 in ASCII', `https://${'ü'.repeat(60)}.example.com/`],
    ['a name of 254', `https://${'a.'.repeat(126)}aa/`],
    ['a number as last label', 'https://example.123/'],
    ['a hexadecimal last label', 'https://example.0x7f/'],
    ['an IPv6 address without brackets', 'https://2606:4700:4700::1111/'],
    ['a zone id', 'https://[fe80::1%25eth0]/'],
    ['a name in brackets', 'https://[example.com]/'],
    ['text after the brackets', 'https://[2606:4700::1]x/'],
    ['over 2,048 characters', `https://example.com/${'a'.repeat(2029)}`],
    ['over 2,048 characters that would shrink', `https://example.com/${'a/../'.repeat(500)}`],
    ['over 2,048 characters once encoded', `https://example.com/${'ü'.repeat(1000)}`],
  ])('a URL with %s is invalid', (_name, raw) => {
    expect(faultOf(raw)).toBe('invalid_url');
    expect(faultOf(raw, nat64Rules)).toBe('invalid_url');
  });

  it('a URL of 2,048 characters and a name of 253 are allowed', () => {
    expect(parseTarget(`https://example.com/${'a'.repeat(2028)}`, defaultTargetRules).ok).toBe(true);
    expect(parseTarget(`https://${'a.'.repeat(126)}a/`, defaultTargetRules).ok).toBe(true);
  });

  it.each([
    'localhost',
    'LOCALHOST.',
    'x.localhost',
    'intranet',
    'com',
    'printer.local',
    'sandbox.localdomain',
    'metadata.google.internal',
    'wiki.intranet',
    'nas.lan',
    'nas.home',
    'dc.corp',
    'nas.home.arpa',
    'home.arpa',
    'x.invalid',
    'x.test',
    'x.onion',
    'x.alt',
    'x.ｌｏｃａｌ',
    'X。Internal。',
  ])('the name %s is not public', (host) => {
    expect(faultOf(`https://${host}/`)).toBe('target_not_allowed');
    expect(faultOf(`https://${host}/`, nat64Rules)).toBe('target_not_allowed');
  });

  it.each([25, 80, 2773, 9001, 65535])('port %i is not allowed', (port) => {
    expect(faultOf(`https://example.com:${port}/`)).toBe('target_not_allowed');
  });

  it('the ports are those of the deployment, 443 too', () => {
    const rules = { ...defaultTargetRules, ports: [9443] };

    expect(parseTarget('https://example.com:9443/', rules).ok).toBe(true);
    expect(faultOf('https://example.com/', rules)).toBe('target_not_allowed');
  });

  it.each(['https://api.example.com/', 'https://API.example.com./v1/x', 'https://api.example.com:8443/'])(
    '%s is refused where it is our own API',
    (raw) => {
      expect(faultOf(raw, { ...defaultTargetRules, ownHosts: ['Api.Example.com.'] })).toBe(
        'target_not_allowed',
      );
      expect(parseTarget(raw, defaultTargetRules).ok).toBe(true);
    },
  );

  it('a neighbour of our own API is no loop', () => {
    const rules = { ...defaultTargetRules, ownHosts: ['api.example.com'] };

    expect(parseTarget('https://hooks.example.com/', rules).ok).toBe(true);
    expect(parseTarget('https://x.api.example.com/', rules).ok).toBe(true);
  });

  it('every refusal is one sentence, and every forbidden address gets the same one', () => {
    const forbidden = ['127.0.0.1', '10.0.0.1', '[::1]', '2130706433', '[64:ff9b::a9fe:a9fe]'];
    const sentences = forbidden.map((host) => messageOf(`https://${host}/`, literalRules));

    expect(new Set(sentences)).toEqual(new Set(['The IP address in the URL is not public.']));
    for (const { url } of ssrfCases) {
      const message = messageOf(url, defaultTargetRules);
      if (message !== undefined) expect(message).toMatch(/^[A-Z][^\n]{10,120}\.$/);
    }
  });
});

describe('IP literals', () => {
  it.each([
    'https://1.1.1.1/',
    'https://[2606:4700:4700::1111]/',
    'https://0x01010101/',
    'https://[::ffff:1.1.1.1]/',
  ])('%s is refused by default, although it is public', (raw) => {
    expect(faultOf(raw)).toBe('target_not_allowed');
  });

  it.each([
    ['https://1.1.1.1/hook', { host: '1.1.1.1', address: '1.1.1.1', href: 'https://1.1.1.1/hook' }],
    [
      'https://[2606:4700:4700:0::1111]:8443/hook',
      {
        host: '2606:4700:4700::1111',
        address: '2606:4700:4700::1111',
        href: 'https://[2606:4700:4700::1111]:8443/hook',
      },
    ],
    ['https://[::ffff:1.1.1.1]/', { host: '::ffff:101:101', address: '1.1.1.1' }],
  ])('%s is a target where the policy allows it', (raw, target) => {
    expect(parseTarget(raw, literalRules)).toMatchObject({ ok: true, target });
  });

  it.each([
    '16843009',
    '0x01010101',
    '1.1.257',
    '1.1',
    '01.01.01.01',
    '1.1.1.1.',
    '①.①.①.①',
    '1。1。1。1',
    '1.1.1.0x1',
  ])('the public address %s must be written as four decimal numbers', (host) => {
    expect(faultOf(`https://${host}/`, literalRules)).toBe('invalid_url');
  });

  it('NAT64 addresses are public only where NAT64 is in use and the carried address is public', () => {
    expect(faultOf('https://[64:ff9b::101:101]/', literalRules)).toBe('target_not_allowed');
    expect(faultOf('https://[64:ff9b::7f00:1]/', nat64Rules)).toBe('target_not_allowed');
    expect(parseTarget('https://[64:ff9b::101:101]/', nat64Rules).ok).toBe(true);
  });
});

describe('parseTarget on a laptop', () => {
  it.each([
    'https://localhost:4433/hook',
    'https://localhost/hook',
    'https://acme.localhost:9000/',
    'https://127.0.0.1:4433/',
    'https://127.9.9.9/',
    'https://[::1]:4433/',
    'https://example.com/',
  ])('%s is allowed', (raw) => {
    expect(parseTarget(raw, localRules).ok).toBe(true);
  });

  it.each([
    ['http://localhost:4433/', 'https_required'],
    ['https://example.com:4433/', 'target_not_allowed'],
    ['https://notlocalhost:4433/', 'target_not_allowed'],
    ['https://localhost.localdomain/', 'target_not_allowed'],
    ['https://10.0.0.1/', 'target_not_allowed'],
    ['https://0.0.0.0/', 'target_not_allowed'],
    ['https://[::]/', 'target_not_allowed'],
    ['https://169.254.169.254/', 'target_not_allowed'],
    ['https://1.1.1.1/', 'target_not_allowed'],
    ['https://127.1/', 'invalid_url'],
    ['https://2130706433/', 'invalid_url'],
    ['https://a_b.localhost/', 'invalid_url'],
  ])('%s is refused as before', (raw, code) => {
    expect(faultOf(raw, localRules)).toBe(code);
  });
});

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

  it('has one spelling, which means the same again', () => {
    fc.assert(
      fc.property(anything, (raw) => {
        const parsed = parseTarget(raw, nat64Rules);
        if (!parsed.ok) return;
        expect(parseTarget(parsed.target.href, nat64Rules)).toEqual(parsed);
        const url = new URL(parsed.target.href);
        expect(url.href).toBe(parsed.target.href);
        expect(url.hostname.replaceAll(/[[\]]/g, '')).toBe(parsed.target.host);
      }),
      { numRuns: 10_000 },
    );
  });
});

/** As an attempt decides (sender.md, 8.2): the URL, then every answer; `answers` is what a resolver would say. */
function verdict(url: string, answers: readonly string[] | undefined, rules = defaultTargetRules): string {
  if (!parseTarget(url, rules).ok) return 'reject';
  if (answers === undefined) return 'allow';
  return answers.length > 0 && answers.every((answer) => isPublicAddress(answer)) ? 'allow' : 'reject';
}

function faultOf(raw: string, rules = defaultTargetRules): string | undefined {
  const parsed = parseTarget(raw, rules);
  return parsed.ok ? undefined : parsed.code;
}

function messageOf(raw: string, rules: TargetRules): string | undefined {
  const parsed = parseTarget(raw, rules);
  return parsed.ok ? undefined : parsed.message;
}

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
