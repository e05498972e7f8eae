import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isPublicAddress } from '../../../lambdas/endpoint/address.ts';
import { parseTarget, type TargetRules } from '../../../lambdas/endpoint/target.ts';
import { defaultTargetRules } from '../../fakes/target-rules.ts';
import { faultOf, literalRules, localRules, nat64Rules } from './a-target.ts';

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
        href: 'https://hooks.example.com:8443/In/./box?Key=a%20b',
        host: 'hooks.example.com',
        port: 8443,
        path: '/In/./box?Key=a%20b',
      },
    });
  });

  it.each([
    ['https://example.com', 'https://example.com/'],
    ['https://example.com?a=1', 'https://example.com/?a=1'],
    ['https://example.com:443/', 'https://example.com/'],
    ['https://example.com./', 'https://example.com/'],
    ['https://example.com/a/../b/./c', 'https://example.com/a/../b/./c'],
    ['https://example.com/?', 'https://example.com/?'],
    ["https://example.com/h?sig='x'", "https://example.com/h?sig='x'"],
    ['https://example.com/%7e%2F%zz+?a[]=1&a[]=2', 'https://example.com/%7e%2F%zz+?a[]=1&a[]=2'],
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

/** As an attempt decides: the URL, then every answer; `answers` is what a resolver would say. */
function verdict(url: string, answers: readonly string[] | undefined, rules = defaultTargetRules): string {
  if (!parseTarget(url, rules).ok) return 'reject';
  if (answers === undefined) return 'allow';
  return answers.length > 0 && answers.every((answer) => isPublicAddress(answer)) ? 'allow' : 'reject';
}

function messageOf(raw: string, rules: TargetRules): string | undefined {
  const parsed = parseTarget(raw, rules);
  return parsed.ok ? undefined : parsed.message;
}
