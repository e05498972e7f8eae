import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureOrganization } from './demo/endpoints.ts';
import type { Runtime } from './runtime.ts';

/** What somebody needs to use the running stack: the line that `npm start` prints, and `.tidings/local.json`. */
export interface Ready {
  readonly api: string;
  /** Endpoint for any AWS SDK or CLI, with any credentials. */
  readonly aws: string;
  readonly bus: string;
  readonly region: string;
  readonly organizationId: string;
  readonly organizationToken: string;
  readonly operatorToken: string;
  /** Where a person signs in: for `npm run sign-in`. */
  readonly signInUrl: string;
  /** Where the programs get a token: OAuth's client credentials. */
  readonly tokenUrl: string;
  readonly programs: Runtime['programs'];
  /** Null without the demo. */
  readonly receiver: string | null;
  readonly deadLetterQueueUrl: string;
  readonly configTable: string;
  readonly ledgerTable: string;
  /** File with the lines of the functions. */
  readonly log: string;
  readonly pid: number;
}

/** A laptop's token may live as long as somebody tries things out. */
const tokenSeconds = 30 * 86_400;

/** Makes the organization and its tokens, and gathers where everything is. */
export async function prepare(
  runtime: Runtime,
  given: Pick<Ready, 'organizationId' | 'receiver' | 'log'>,
): Promise<Ready> {
  const { organizationId } = given;
  const expiresInSeconds = tokenSeconds;
  const operatorToken = await runtime.issueToken({ group: 'operators', expiresInSeconds });
  await ensureOrganization({ api: runtime.api, token: operatorToken }, organizationId);
  return {
    api: runtime.api,
    aws: runtime.aws.server.endpoint,
    bus: runtime.output('BusName'),
    region: runtime.aws.setting.region,
    ...given,
    organizationToken: await runtime.issueToken({
      organizationId,
      group: 'administrators',
      expiresInSeconds,
    }),
    operatorToken,
    signInUrl: runtime.api + pageOf(runtime.output('SignInUrl')),
    tokenUrl: `${runtime.api}/oauth2/token`,
    programs: runtime.programs,
    deadLetterQueueUrl: runtime.output('DeadLetterQueueUrl'),
    configTable: runtime.output('ConfigTable'),
    ledgerTable: runtime.output('LedgerTable'),
    pid: process.pid,
  };
}

/** What stands on the pool's domain is on the gateway here. */
function pageOf(signInUrl: string): string {
  const { pathname, search } = new URL(signInUrl);
  return pathname + search;
}

/** Keeps the facts in a file for this user only, and prints them: from then on the stack can be used. */
export async function announce(ready: Ready, stateFolder: string): Promise<void> {
  const json = JSON.stringify(ready);
  const path = join(stateFolder, 'local.json');
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  await writeFile(path, `${json}\n`, { mode: 0o600 });
  // The mode above counts only for a new file.
  await chmod(path, 0o600);
  console.log(`ready ${json}`);
  console.log(nextSteps(ready));
}

/** Takes the file away, unless another one has been started since: its addresses lead nowhere now. */
export async function withdraw({ pid }: Pick<Ready, 'pid'>, stateFolder: string): Promise<void> {
  const path = join(stateFolder, 'local.json');
  const kept: unknown = JSON.parse(await readFile(path, 'utf8').catch(() => 'null'));
  const isOurs = typeof kept === 'object' && kept !== null && 'pid' in kept && kept.pid === pid;
  if (isOurs) await rm(path, { force: true });
}

function nextSteps({ api, organizationId, log }: Ready): string {
  const token = `$(node -p "require('./.tidings/local.json').organizationToken")`;
  const organization = `${api}/v1/organizations/${organizationId}`;
  return `
Try next, in another terminal:
  curl -H "authorization: Bearer ${token}" ${organization}/endpoints
  curl -H "authorization: Bearer ${token}" ${organization}/dead-letters
Logs of the functions are in ${log}. Ctrl-C stops everything.
`;
}
