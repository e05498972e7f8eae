import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseFlags } from '../../bin/sign-in/flags.ts';
import { planOf } from '../../bin/sign-in/plan.ts';
import { startTidings } from '../end-to-end/tidings.ts';
import type { Tidings } from '../end-to-end/tidings.ts';

const command = join(import.meta.dirname, '..', '..', 'bin', 'sign-in.ts');

let folder: string;
let tidings: Tidings;
let signInUrl: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidings-sign-in-'));
  await cp(inject('templateFolder'), folder, { recursive: true });
  const file = join(folder, 'Tidings.template.json');
  // The port is fixed in the template, since Cognito takes no other: runs beside each other each need one of their own.
  const text = await readFile(file, 'utf8');
  expect(text).toContain('17417');
  await writeFile(file, text.replaceAll('17417', String(await freePort())));
  tidings = await startTidings({ templateFolder: folder });
  await tidings.makeOrganization('org_demo');
  const { pathname, search } = new URL(tidings.runtime.output('SignInUrl'));
  signInUrl = tidings.runtime.api + pathname + search;
});
afterAll(async () => {
  await tidings.stop();
  await rm(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** The command, and the address that it asks to be opened. */
async function run(...args: string[]) {
  const child = spawn(process.execPath, [command, '--no-browser', ...args], { cwd: folder });
  const said = { out: '', err: '' };
  const { promise: asked, resolve } = Promise.withResolvers<string>();
  child.stdout.on('data', (part: Buffer) => (said.out += part.toString()));
  child.stderr.on('data', (part: Buffer) => {
    said.err += part.toString();
    const [address] = /http:\/\/\S+\/oauth2\/authorize\S+/.exec(said.err) ?? [];
    if (address !== undefined) resolve(address);
  });
  const ended = new Promise<number | null>((done) => child.once('close', done));
  return { said, ended, address: await Promise.race([asked, ended.then(() => '')]) };
}

/** What a browser does, with somebody who fills in the form: where the page leads back to is opened, and shown. */
async function signInAt(address: string, form: Record<string, string>): Promise<Response> {
  const page = await fetch(address);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('<form method="post"');
  const answer = await fetch(page.url, {
    method: 'POST',
    body: new URLSearchParams(form),
    redirect: 'manual',
  });
  expect(answer.status).toBe(302);
  return fetch(answer.headers.get('location') ?? '');
}

const ann = { organizationId: 'org_demo', group: 'administrators' };

describe('the sign-in of a person', () => {
  it('ends with a token in the terminal, which the API takes', async () => {
    const { said, ended, address } = await run(signInUrl);
    const shown = await signInAt(address, ann);
    expect(await shown.text()).toContain('You are signed in');
    expect(await ended).toBe(0);
    expect(said.out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const answer = await tidings.call('GET', '/v1/organizations/org_demo/endpoints', {
      token: said.out.trim(),
    });
    expect(answer.status).toBe(200);
    // The address that was opened, and what it led back to, are of no use to whoever sees them later.
    expect(said.err).not.toContain(said.out.trim());
  });

  it('is of the stack that runs in this folder, when no page is named', async () => {
    const nothing = await run();
    expect(await nothing.ended).toBe(2);
    expect(nothing.said.err).toContain('SignInUrl');
    await mkdir(join(folder, '.tidings'));
    await writeFile(join(folder, '.tidings', 'local.json'), JSON.stringify({ signInUrl }));
    const { ended, address } = await run();
    await signInAt(address, ann);
    expect(await ended).toBe(0);
  });

  it('goes on when somebody comes back with what this sign-in has not asked for', async () => {
    const { said, ended, address } = await run(signInUrl);
    const back = new URL(new URL(address).searchParams.get('redirect_uri') ?? '');
    const forged = await fetch(`${back.href}?code=stolen&state=guessed`);
    expect(forged.status).toBe(400);
    expect((await fetch(new URL('/favicon.ico', back))).status).toBe(404);
    await signInAt(address, ann);
    expect(await ended).toBe(0);
    expect(said.out).not.toBe('');
  });

  it('that the page refuses is told, with what the page said', async () => {
    const { said, ended, address } = await run(signInUrl);
    const { searchParams } = new URL(address);
    const back = new URL(searchParams.get('redirect_uri') ?? '');
    back.searchParams.set('state', searchParams.get('state') ?? '');
    back.searchParams.set('error', 'access_denied');
    await fetch(back);
    expect(await ended).toBe(1);
    expect(said.err).toContain('access_denied');
    expect(said.out).toBe('');
  });

  it('says which port is taken', async () => {
    const port = Number(new URL(new URL(signInUrl).searchParams.get('redirect_uri') ?? '').port);
    const other = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { said, ended } = await run(signInUrl);
    expect(await ended).toBe(1);
    expect(said.err).toContain(`port ${port} is in use`);
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('the local sign-in page, as Cognito’s', () => {
  const exchange = async (form: Record<string, string>) => {
    const answer = await fetch(`${tidings.runtime.api}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const back = () => new URL(signInUrl).searchParams.get('redirect_uri') ?? '';
  const client = () => tidings.runtime.output('TokenAudience');
  const codeFor = async (query: Record<string, string>) => {
    const address = new URL(signInUrl);
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    const answer = await fetch(address, {
      method: 'POST',
      body: new URLSearchParams(ann),
      redirect: 'manual',
    });
    return new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? '';
  };
  // RFC 7636, appendix B.
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
  const pkce = {
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  };
  const grant = (code: string, more: Record<string, string> = {}) => ({
    ...{ grant_type: 'authorization_code', client_id: client(), redirect_uri: back(), code },
    ...more,
  });

  it('gives a code that is good once, for who has its verifier', async () => {
    const code = await codeFor(pkce);
    const wrong = { status: 400, body: { error: 'invalid_grant' } };
    expect(await exchange(grant(await codeFor(pkce), { code_verifier: 'x'.repeat(43) }))).toEqual(wrong);
    expect(await exchange(grant(await codeFor(pkce)))).toEqual(wrong);
    const elsewhere = { code_verifier: verifier, redirect_uri: `${back()}/other` };
    expect(await exchange(grant(await codeFor(pkce), elsewhere))).toEqual(wrong);
    expect(await exchange(grant(code, { code_verifier: verifier }))).toMatchObject({ status: 200 });
    expect(await exchange(grant(code, { code_verifier: verifier }))).toEqual(wrong);
  });

  it.each([
    ['an address that is not registered', { redirect_uri: 'http://localhost:1/elsewhere' }],
    ['a client that is not', { client_id: 'nobody' }],
    ['a scope that the client may not ask for', { scope: 'openid webhooks/operate' }],
    ['another flow', { response_type: 'token' }],
  ])('has no form for %s', async (_what, query: Record<string, string>) => {
    const address = new URL(signInUrl);
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    expect((await fetch(address)).status).toBe(400);
  });
});

describe('the page that is named', () => {
  const page =
    'https://tidings-1.auth.eu-west-1.amazoncognito.com/login?response_type=code&client_id=c1&redirect_uri=http%3A%2F%2Flocalhost%3A17417%2Fsigned-in&scope=openid+email';

  it('says all that is needed: where to send the browser, and where the code becomes a token', () => {
    const plan = planOf(page);
    expect(plan.tokenUrl).toBe('https://tidings-1.auth.eu-west-1.amazoncognito.com/oauth2/token');
    const asked = new URL(plan.authorizeUrl({ state: 's', challenge: 'h' }));
    expect(asked.origin + asked.pathname).toBe(
      'https://tidings-1.auth.eu-west-1.amazoncognito.com/oauth2/authorize',
    );
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      response_type: 'code',
      client_id: 'c1',
      redirect_uri: 'http://localhost:17417/signed-in',
      scope: 'openid email',
      state: 's',
      code_challenge: 'h',
      code_challenge_method: 'S256',
    });
  });

  it.each([
    'tidings',
    'https://tidings-1.auth.eu-west-1.amazoncognito.com',
    page.replace('https://', 'http://'),
    page.replace('localhost%3A17417', 'console.acme.example'),
    page.replace('http%3A%2F%2Flocalhost%3A17417', 'https%3A%2F%2Fconsole.acme.example'),
    page.replace('client_id=c1', 'client_id='),
  ])('%s is refused: it is no output SignInUrl', (text) => {
    expect(() => planOf(text)).toThrow('SignInUrl');
  });

  it.each([[['--unknown']], [['one', 'two']]])('%j is refused', (args) => {
    expect(() => parseFlags(args)).toThrow();
  });
});
