import { describe, expect, it } from 'vitest';
import { judgeHeaders, storeHeaders, wantedHeaders } from '../../../lambdas/endpoint/own-header.ts';
import type { OwnHeader, WantedHeader } from '../../../lambdas/endpoint/own-header.ts';

const denied = [
  ...['host', 'connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect'],
  ...['content-type', 'content-length', 'content-encoding', 'content-digest', 'content-x'],
  ...['date', 'via', 'forwarded', 'x-forwarded-for', 'x-forwarded-host', 'proxy-authorization', 'proxy-x'],
  ...['cookie', 'set-cookie', 'user-agent', 'accept-encoding', 'signature', 'signature-input'],
  ...['webhook-id', 'webhook-timestamp', 'webhook-signature', 'webhook-jwt', 'webhook-anything'],
  ...['x-amz-security-token', 'x-amzn-trace-id', 'traceparent', 'tracestate'],
];

describe('a header of the request itself', () => {
  it.each(denied)('%s is refused in any spelling, and named', async (name) => {
    for (const spelled of [name, name.toUpperCase(), name.replace(/^./, (first) => first.toUpperCase())]) {
      const wanted = [
        { name: 'X-Team', value: 'data' },
        { name: spelled, value: 'a' },
      ];
      await expect(judgeHeaders(wanted, [])).rejects.toThrow(
        expect.objectContaining({ code: 'header_not_allowed', field: 'headers.1.name' }) as Error,
      );
    }
  });

  it.each(['Authorization', 'X-Api-Key', 'X-Host', 'My-Webhook-Id', 'Tea', 'Accept', 'X-Signature', 'Dated'])(
    'is not %s: it is taken',
    async (name) => {
      expect(await refusalOf([{ name, value: 'a' }])).toBeUndefined();
    },
  );
});

describe('a header', () => {
  it.each([
    ['no name', { name: '', value: 'a' }],
    ['a name with a space', { name: 'X Team', value: 'a' }],
    ['a name with a line break', { name: 'X-Team\r\nHost', value: 'a' }],
    ['a name with a colon', { name: 'X-Team:', value: 'a' }],
    ['a name of 65 letters', { name: 'a'.repeat(65), value: 'a' }],
    ['an empty value', { name: 'X-Team', value: '' }],
    ['a value that begins another header', { name: 'X-Team', value: 'a\r\nHost: b' }],
    ['a value with a null', { name: 'X-Team', value: 'a\0b' }],
    ['a value with a space at its end', { name: 'X-Team', value: 'a ' }],
    ['a value that is not ASCII', { name: 'X-Team', value: 'Grüße' }],
    ['a value of 4,097 letters', { name: 'X-Team', value: 'a'.repeat(4_097) }],
    ['a field too many', { name: 'X-Team', value: 'a', versionId: 'v-1' }],
  ])('with %s is refused', (_what, header) => {
    expect(wantedHeaders.safeParse([header]).success).toBe(false);
  });

  it.each(['a', 'a b\tc', 'Bearer abc.def-_~+/=', '"{}"', `Bearer ${'a'.repeat(1_018)}`, 'a'.repeat(4_096)])(
    'may have the value %j',
    (value) => {
      expect(wantedHeaders.safeParse([{ name: 'X-Team', value }]).success).toBe(true);
    },
  );

  it.each(['X_Api_Key', 'api.key', "x!#$%&*+^`|~'", '__proto__'])('may have the name %s', async (name) => {
    expect(wantedHeaders.safeParse([{ name, value: 'a' }]).success).toBe(true);
    expect(await refusalOf([{ name, value: 'a' }])).toBeUndefined();
  });

  it.each(['Webhook_Id', 'content.length', 'X_Forwarded_For', 'transfer_encoding', 'webhook~signature'])(
    'is refused where a server might read it as one of the request itself: %s',
    async (name) => {
      expect(await refusalOf([{ name, value: 'a' }])).toMatchObject({ code: 'header_not_allowed' });
    },
  );

  it.each(['webhook-id', 'Webhook_Id'])('of ours is told to be so: %s', async (name) => {
    const refusal = await refusalOf([{ name, value: 'a' }]);
    expect(refusal).toMatchObject({ message: expect.stringContaining('Tidings sets') as string });
  });

  it('with a token of 4,000 characters leaves no room for much else', async () => {
    const token = { name: 'authorization', value: `Bearer ${'a'.repeat(4_000)}` };
    expect(await refusalOf([token])).toBeUndefined();
    expect(await refusalOf([token, { name: 'X-Team', value: 'a'.repeat(100) }])).toMatchObject({
      field: 'headers',
    });
  });

  it('may be one of twenty', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ name: `X-${at}`, value: 'a' }));
    expect(wantedHeaders.safeParse(many(20)).success).toBe(true);
    expect(wantedHeaders.safeParse(many(21)).success).toBe(false);
  });

  it('is refused when it is named twice, in whatever spelling', async () => {
    const twice = [
      { name: 'X-Team', value: 'a' },
      { name: 'x-team', value: 'b' },
    ];
    expect(await refusalOf(twice)).toMatchObject({ code: 'invalid_request', field: 'headers.1.name' });
  });

  it('is refused without a value, unless it is a secret one that has one already', async () => {
    const before: OwnHeader[] = [
      { name: 'X-Key', secret: true, versionId: 'v-1' },
      { name: 'X-Team', value: 'a' },
    ];
    expect(await refusalOf([{ name: 'x-key', secret: true }], before)).toBeUndefined();
    expect(await refusalOf([{ name: 'X-Team' }], before)).toMatchObject({ field: 'headers.0.value' });
    expect(await refusalOf([{ name: 'X-New', secret: true }], before)).toMatchObject({
      field: 'headers.0.value',
    });
  });

  it('goes with others up to 4 kB in all', async () => {
    const headers = (last: number) => [
      ...[1, 2, 3].map((at) => ({ name: `X-${at}`, value: 'a'.repeat(1_021) })),
      { name: 'X-4', value: 'a'.repeat(last) },
    ];
    expect(await refusalOf(headers(1_021))).toBeUndefined();
    expect(await refusalOf(headers(1_022))).toMatchObject({ code: 'invalid_request', field: 'headers' });
  });

  it('may be one of eight secret ones, credentials counted', async () => {
    const secret = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ name: `X-${at}`, value: 'a', secret: true }));
    expect(await refusalOf(secret(8))).toBeUndefined();
    expect(await refusalOf([...secret(8), { name: 'AUTHORIZATION', value: 'a' }])).toMatchObject({
      field: 'headers',
    });
  });
});

describe('what is stored of headers', () => {
  it('holds no secret value, and credentials are secret whatever their owner says', async () => {
    const put: string[] = [];
    const wanted = [
      { name: 'X-Team', value: 'data' },
      { name: 'X-Key', value: 'planted', secret: true },
      { name: 'authorization', value: 'planted too', secret: false },
    ];
    const secrets = {
      put: (_name: unknown, { value }: { value: string }) => Promise.resolve(void put.push(value)),
      retire: () => Promise.reject(new Error('nothing is to be retired')),
    };
    const ports = { secrets, newUuid: () => `v-${put.length}` };
    const stored = await storeHeaders(
      ports,
      { organizationId: 'org_1', endpointId: 'ep_1' },
      { wanted, before: [] },
    );
    expect(stored).toEqual([
      { name: 'X-Team', value: 'data' },
      { name: 'X-Key', secret: true, versionId: 'v-0' },
      { name: 'authorization', secret: true, versionId: 'v-1' },
    ]);
    expect(put).toEqual(['planted', 'planted too']);
  });
});

function refusalOf(wanted: readonly WantedHeader[], before: readonly OwnHeader[] = []): Promise<unknown> {
  return judgeHeaders(wanted, before).catch((fault: unknown) => fault);
}
