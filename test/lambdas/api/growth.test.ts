import { describe, expect, it } from 'vitest';
import { callerOf } from '../../../lambdas/api/caller.ts';
import { matchOf } from '../../../lambdas/api/match.ts';
import { bodyOf } from '../../../lambdas/api/request-body.ts';
import { openCursor } from '../../../lambdas/api/seal-cursor.ts';
import { readMessage } from '../../../lambdas/delivery/message.ts';
import { normalizeAddress } from '../../../lambdas/endpoint/address.ts';
import { readCertificate } from '../../../lambdas/endpoint/client-certificate.ts';
import { wantedConfiguration } from '../../../lambdas/endpoint/configuration/configuration.ts';
import { endpointChange, newEndpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { parseTarget } from '../../../lambdas/endpoint/target.ts';
import { defaultTargetRules } from '../../fakes/target-rules.ts';
import { packBody } from '../../../lambdas/event/body.ts';
import { eventListQuery } from '../../../lambdas/event/event-list.ts';
import { eventTypeDefinition, eventTypeName } from '../../../lambdas/event/event-type.ts';
import { readArrival, readContent } from '../../../lambdas/event/published.ts';
import { differences } from '../../../lambdas/shared/difference.ts';
import { mustMatch } from '../../../lambdas/shared/etag.ts';
import { eventId, organizationId } from '../../../lambdas/shared/identifier.ts';
import { jsonDepth, parseJson } from '../../../lambdas/shared/json.ts';
import { soundOf } from '../../../lambdas/shared/sound.ts';
import { patternOfTypes } from '../../../lambdas/endpoint/wants.ts';
import { judgeEntries } from '../../../lambdas/endpoint/configuration/plan-import.ts';
import { readQuery } from '../../../lambdas/api/read-query.ts';
import { positionOf } from '../../../lambdas/shared/page.ts';
import { withinTrace } from '../../../lambdas/shared/trace.ts';
import { timeOfUlid } from '../../../lambdas/shared/ulid.ts';
import { ownSecret } from '../../../lambdas/signing/secret.ts';
import { growthMax, growthOf } from '../../fakes/growth.ts';
import { aService } from './a-service.ts';

const { routes } = aService();
const fill = (text: string) => (size: number) => text.repeat(size);
const nested = (size: number) => '{"a":'.repeat(size) + '1' + '}'.repeat(size);

type Border = readonly [
  what: string,
  work: (text: string) => unknown,
  texts: readonly ((n: number) => string)[],
];

/** What somebody may send, each with texts that are known to be hard on a careless reader of its kind. */
const borders: readonly Border[] = [
  [
    'the depth of a body',
    jsonDepth,
    [fill('\\"'), (n) => `"${'\\"'.repeat(n)}`, fill('"'), fill('['), fill('"\\\\'), fill('{"')],
  ],
  [
    'the numbers of a body',
    parseJson,
    [
      (n) => `[${'12345678901234567890,'.repeat(n)}1]`,
      fill('1'),
      (n) => `"${'1.'.repeat(n)}"`,
      (n) => `0.${'1'.repeat(n)}`,
      (n) => `"${'1e'.repeat(n)}"`,
    ],
  ],
  [
    'a body',
    (body) => bodyOf({ body, isBase64Encoded: false }),
    [(n) => `"${'ü\\u0000'.repeat(n)}"`, (n) => `[${'{},'.repeat(n)}0]`, fill(' '), fill('[{"a":')],
  ],
  [
    'a body in base64',
    (body) => bodyOf({ body, isBase64Encoded: true }),
    [fill('/'), fill('=\n'), fill('IiI')],
  ],
  ['a path', (path) => matchOf(routes, 'GET', path), [fill('/'), fill('/v1'), fill('{')]],
  [
    'a cursor',
    (sealed) => openCursor(new Uint8Array(32), { path: '/', query: { a: sealed } }, sealed),
    [fill('.'), fill('a'), fill('=')],
  ],
  ['the place in a cursor', (cursor) => positionOf(cursor, eventId), [fill('W1'), fill('A')]],
  [
    '`If-Match` and `If-None-Match`',
    (tag) => {
      mustMatch({ ifNoneMatch: tag }, {});
      mustMatch({ ifMatch: tag }, {});
    },
    [fill(','), fill(' '), fill('"",'), (n) => `${' '.repeat(n)}x`],
  ],
  [
    'scopes of a token',
    (scope) => callerOf({ scope }, { organization: 'o', scope: 'scope' }),
    [fill(' '), fill(','), fill(']'), fill('a '), (n) => `[${' '.repeat(n)}x`],
  ],
  [
    'an id',
    (id) => [eventId.safeParse(id), organizationId.safeParse(id), timeOfUlid(id)],
    [fill('0'), fill('_')],
  ],
  [
    'a URL',
    (url) => parseTarget(url, defaultTargetRules),
    [fill('https://'), fill(':1'), fill('a.'), fill('[')],
  ],
  ['an address', normalizeAddress, [fill(':'), fill('1.'), fill('::'), fill('1:')]],
  [
    'a query',
    (type) => eventListQuery.safeParse({ type, since: type, cursor: type }),
    [fill('a.'), fill('0')],
  ],
  ['a name of an event type', (name) => eventTypeName.safeParse(name), [fill('a_'), fill('a.'), fill('a')]],
  [
    'a query that gives names twice',
    (text) => readQuery({ rawQueryString: text }, []),
    [fill('a&'), fill('=')],
  ],
  [
    'a pattern of event types',
    (pattern) => patternOfTypes.test(pattern),
    [fill('a.'), fill('a_'), fill('.*'), fill('a')],
  ],
  [
    'what is sound of a configuration',
    (text) => {
      const sound = soundOf(wantedConfiguration, parseJson(text));
      return (
        sound &&
        judgeEntries({ target: defaultTargetRules, listEventTypes: () => Promise.resolve([]) }, sound)
      );
    },
    [
      (n) => `{"endpoints":[${'{"name":"a"},'.repeat(n)}1]}`,
      (n) => `{"endpoints":[{"headers":[${'{"name":"a"},'.repeat(n)}1]}]}`,
    ],
  ],
  [
    'an endpoint',
    (text) =>
      [newEndpoint, endpointChange].map((one) =>
        one.safeParse({ url: text, eventTypes: [text, `${text}.*`] }),
      ),
    [fill('a.'), fill('a_'), fill('.*')],
  ],
  [
    'its headers',
    (text) => newEndpoint.safeParse({ url: 'https://a.b', headers: [{ name: text, value: `a${text}\n` }] }),
    [fill(' '), fill('a '), fill('-')],
  ],
  [
    'a configuration',
    (text) => wantedConfiguration.safeParse(parseJson(text)),
    [
      (n) => `{"version":1,"endpoints":[${'{"name":"a"},'.repeat(n)}1]}`,
      (n) => `{${'"a":1,'.repeat(n)}"b":2}`,
    ],
  ],
  ['a secret', (text) => ownSecret.safeParse(`whsec_${text}`), [fill('A'), fill('='), fill('+/')]],
  [
    'a client certificate',
    (certificate) => readCertificate({ certificate, privateKey: certificate }, 0),
    [fill('-----BEGIN CERTIFICATE-----'), fill('-----BEGIN CERTIFICATE-----A'), fill('-'), fill('A')],
  ],
  ['a definition of an event type', (text) => eventTypeDefinition.safeParse(parseJson(text)), [nested]],
  [
    'an event from the bus',
    (text) => {
      const detail = { organizationId: 'org_1', data: { text }, occurredAt: text, idempotencyKey: text };
      const envelope = { id: 'b', 'detail-type': text, source: text, time: '2026-11-27T10:00:00Z', detail };
      const arrival = readArrival(JSON.stringify(envelope), 0);
      return arrival && readContent(arrival);
    },
    [fill('0'), fill('2026-')],
  ],
  ['what is kept of it', (text) => packBody(Buffer.from(text)), [fill('a'), fill('\u0000ü')]],
  ['a message', readMessage, [fill('{"'), fill('[')]],
  [
    'a trace',
    (header) => {
      withinTrace(header, () => undefined);
    },
    [fill(';'), fill('='), fill('Root=1-')],
  ],
];

describe('nothing that anybody sends costs more than its length', () => {
  it.each(borders)('%s', (_what, work, texts) => {
    for (const text of texts) {
      const growth = growthOf((size) => {
        const made = text(size);
        return () => work(made);
      }, 4_000);
      expect(growth).toBeLessThan(growthMax);
    }
  });

  it('nor does a difference far below others', () => {
    const chain = (depth: number, end: number): unknown =>
      depth === 0 ? end : { a: chain(depth - 1, end), b: 'c'.repeat(20) };
    const growth = growthOf((size) => {
      const [before, after] = [chain(size, 1), chain(size, 2)];
      return () => differences(before, after);
    }, 50);
    expect(growth).toBeLessThan(growthMax);
  });
});
