import { startServer } from './child.ts';
import { freePort, send, untilUp } from './exchange.ts';
import type { Place } from './exchange.ts';
import type { Case } from './forgeries.ts';
import { hmacCases } from './forgeries-hmac.ts';
import { jwtCases, publishedKeys } from './forgeries-jwt.ts';
import { startKeySet } from './keys.ts';
import type { Sample } from './samples.ts';
import { deliveredColumns } from './table.ts';
import type { Column, Row } from './table.ts';
import type { Registered, Scheme, Tidings } from './tidings.ts';

/** What every trial needs. */
export interface Ground {
  readonly tidings: Tidings;
  /** PEM of who signed the samples' certificate. */
  readonly authority: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** What is delivered, by its column. */
const deliveries: Readonly<Record<(typeof deliveredColumns)[number], object>> = {
  '1 byte': { a: 1 },
  '100 KB': { text: 'x'.repeat(100 * 1024) },
  // Two to four bytes a character, joined and combining ones, right to left, and what JavaScript takes for a line end.
  'multi-byte': { 'ключ 鍵': 'é e\u0301 漢字かな 한글 👩‍👩‍👧‍👦 🏳️‍🌈 \u{10ffff} עברית \u2028 \u0000 "\\' },
};

type Failures = Map<Column, string>;

/** Starts a sample for a scheme, has Tidings deliver to it, and sends it what it must refuse. */
export async function trySample(ground: Ground, sample: Sample, scheme: Scheme): Promise<Row> {
  const port = await freePort();
  const place = { port, authority: ground.authority };
  const url = `https://127.0.0.1:${port}/webhooks`;
  const failures: Failures = new Map();
  const seen = new Set<Column>();
  const see = async (column: Column, look: () => Promise<void>) => {
    seen.add(column);
    await look().catch((error: unknown) => {
      failures.set(column, error instanceof Error ? error.message : String(error));
    });
  };
  const { title } = sample;
  try {
    const endpoint = await ground.tidings.register(sample.name, scheme, url);
    const own = scheme === 'hmac' ? ownByHmac(endpoint) : await ownByJwt(endpoint);
    try {
      await whileUp(ground, { sample, place, environment: endpoint.environment }, async () => {
        for (const column of deliveredColumns) await see(column, () => endpoint.deliver(deliveries[column]));
      });
      await whileUp(ground, { sample, place, environment: own.environment }, async () => {
        for (const one of own.cases) await see(one.column, () => judge(place, one));
      });
    } finally {
      await own.stop();
    }
    return { title, scheme, outcome: { kind: 'ran', failures, seen } };
  } catch (error) {
    return { title, scheme, outcome: { kind: 'broken', reason: String(error) } };
  }
}

/** How a sample is configured for the runner's own requests, and what they are. */
interface Own {
  readonly environment: Readonly<Record<string, string>>;
  readonly cases: readonly Case[];
  readonly stop: () => Promise<void>;
}

/** The runner knows the endpoint's secret, as its owner does. */
function ownByHmac({ environment, secret }: Registered): Own {
  return { environment, cases: hmacCases(secret), stop: () => Promise.resolve() };
}

/**
 * Nobody but KMS can sign with the organization's key. So that a forgery is refused for what is wrong with it, and
 * not for its key, the sample reads a key set of the runner's own.
 */
async function ownByJwt({ environment }: Registered): Promise<Own> {
  const published = publishedKeys();
  const keySet = await startKeySet([published.key, published.rsaKey]);
  const expected = { issuer: 'https://runner.example', audience: 'ep_runner' };
  return {
    environment: {
      ...environment,
      JWKS_URL: keySet.url,
      ISSUER: expected.issuer,
      AUDIENCE: expected.audience,
    },
    cases: jwtCases(published, expected),
    stop: keySet.stop,
  };
}

interface Start {
  readonly sample: Sample;
  readonly place: Place;
  readonly environment: Readonly<Record<string, string>>;
}

async function whileUp(ground: Ground, { sample, place, environment }: Start, use: () => Promise<void>) {
  const server = startServer({
    ...sample.start,
    env: {
      ...sample.start.env,
      ...environment,
      HOST: '127.0.0.1',
      PORT: String(place.port),
      TLS_CERT_FILE: ground.certificateFile,
      TLS_KEY_FILE: ground.keyFile,
    },
  });
  try {
    await untilUp(server, place);
    await use();
    if (server.hasEnded()) throw new Error(`it crashed: ${server.output()}`);
  } finally {
    await server.stop();
  }
}

/** @throws Error naming the requests that met another verdict. */
async function judge(place: Place, { requests, verdict }: Case): Promise<void> {
  const wrong: string[] = [];
  for (const [name, make] of Object.entries(requests)) {
    const status = await send(place, make()).catch((error: unknown) => String(error));
    if (!isVerdict(verdict, status)) wrong.push(`${name === '' ? 'it' : name} got ${status}`);
  }
  if (wrong.length > 0) throw new Error(wrong.join('; '));
}

/** A 5xx is no refusal: the receiver stumbled. */
function isVerdict(verdict: Case['verdict'], status: number | string): boolean {
  if (typeof status === 'string') return false;
  return verdict === 'accepted' ? status === 204 : status >= 400 && status < 500;
}
