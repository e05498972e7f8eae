import type { Node } from 'constructs';
import { z } from 'zod';

/** On or off; the command line gives text. */
const flagThatIs = (unlessSaid: boolean) =>
  z
    .union([z.boolean(), z.enum(['true', 'false'])], 'true or false')
    .default(unlessSaid)
    .transform((value) => String(value) === 'true');
const flag = flagThatIs(false);

/**
 * What a platform engineer may set, by `-c name=value` or in cdk.json. Every setting has a default that
 * works; the README's table says what each one means.
 */
const settings = z
  .object({
    stage: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,15}$/)
      .default('prod'),
    /** Days that events, deliveries and their bodies are kept in the ledger. */
    retentionDays: z.coerce.number().int().min(2).max(365).default(30),
    /** Your own OpenID Connect issuer; without it the stack makes a Cognito user pool. */
    issuer: z.url({ protocol: /^https$/ }).optional(),
    /** Audience that your issuer writes into its tokens; goes with `issuer`. */
    audience: z.string().min(1).optional(),
    /** Ports that receivers may listen on. */
    receiverPorts: z
      .string()
      .refine(arePorts, 'ports from 1 to 65535 joined by commas, such as 443,8443')
      .default('443,8443'),
    /** For functions in an IPv6-only subnet with DNS64: judge the IPv4 address inside 64:ff9b::/96. */
    nat64: flag,
    /** How often one caller may ask the API. */
    requestsPerMinute: z.coerce.number().int().min(10).max(100_000).default(3_000),
    /** Executions reserved for the API; 0 = none, and the gateway lets through what 730 of the account bear. */
    apiConcurrency: z.coerce.number().int().min(0).max(1_000).default(0),
    /** Endpoints that an organization may have. */
    endpointsPerOrganization: z.coerce.number().int().min(1).max(1_000).default(1_000),
    /** What happens to an event whose data break the schema of its type: refused, or delivered with a remark. */
    eventSchemas: z.enum(['strict', 'warn']).default('warn'),
    /** Who gets a mail when an alarm rings, and when it ends; others subscribe to the topic. */
    alarmEmail: z.email().optional(),
    /** Zones with a fixed address from which deliveries come; 0 = whatever address Lambda has. */
    egressZones: z.coerce.number().int().min(0).max(2).default(0),
    /** Days that EventBridge keeps all events for a replay; 0 = none. */
    archiveDays: z.coerce.number().int().min(0).max(3_650).default(0),
    /** Whether AWS X-Ray records traces of the functions; their ids are in the log lines anyway. */
    tracing: flag,
    /** Whether one event a minute goes through everything, to a receiver of our own. */
    canary: flag,
    organizationClaim: z.string().min(1).default('organizationId'),
    /** Claim of the token that holds its scopes; some issuers call it `scp`. */
    scopeClaim: z.string().min(1).default('scope'),
    /** Programs that get an OAuth client of the stack's user pool: ids of organizations, and `operator`. */
    programs: z
      .string()
      .refine(arePrograms, 'up to 49 ids of organizations, or operator, each once, joined by commas')
      .default(''),
    /** Whether people sign in with a browser; without it only programs do. */
    console: flagThatIs(true),
    /** Where the sign-in page may lead back to; without it, to `/console` of the API's own host. */
    consoleUrls: z
      .string()
      .refine((text) => itemsOf(text).every(isConsoleUrl), 'https URLs joined by commas')
      .default(''),
  })
  .refine((s) => (s.issuer === undefined) === (s.audience === undefined), {
    error: 'issuer and audience go together: set both for your own sign-in, or neither for Cognito',
  })
  .refine((s) => s.issuer !== undefined || !/aws|amazon|cognito/.test(s.stage), {
    error:
      'the stage is part of the sign-in page’s host, for which Cognito takes no name with aws, amazon or cognito',
    path: ['stage'],
  })
  .refine((s) => s.issuer === undefined || s.programs + s.consoleUrls === '', {
    error: 'programs and consoleUrls belong to the user pool of the stack: your own issuer has its own',
  })
  .refine((s) => s.console || s.issuer !== undefined || (s.programs !== '' && s.consoleUrls === ''), {
    error: 'console=false leaves the user pool to programs: name them in `programs`, and no consoleUrls',
  })
  .refine((s) => s.issuer !== undefined || s.scopeClaim === 'scope', {
    error: 'scopeClaim goes with an issuer of your own: the user pool writes the claim scope',
  });

/** The parts of a setting that is a list. */
export function itemsOf(text: string): string[] {
  return text.split(',').filter((item) => item !== '');
}

/** An authorizer takes 50 audiences (quota of API Gateway), and one is the console's. */
function arePrograms(text: string): boolean {
  const items = itemsOf(text);
  const isEach = items.every((item) => /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(item));
  return isEach && items.length <= 49 && new Set(items).size === items.length;
}

function isConsoleUrl(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === 'https:';
}

function arePorts(text: string): boolean {
  return text.split(',').every((port) => /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535);
}

export type Settings = z.output<typeof settings>;

/**
 * Reads the settings from the context of a construct tree.
 *
 * @throws Error with one line per setting that is wrong.
 */
export function readSettings(node: Node): Settings {
  const known = Object.keys(settings.shape);
  const given = Object.fromEntries(known.map((name) => [name, node.tryGetContext(name) as unknown]));
  const parsed = settings.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Error(`Settings of Tidings are wrong.\n${z.prettifyError(parsed.error)}`);
}

/** A physical name of the stack's: `tidings` for the stage `prod`, `tidings-<stage>` for any other. */
export function nameOf(stage: string, part?: string): string {
  return ['tidings', ...(stage === 'prod' ? [] : [stage]), ...(part === undefined ? [] : [part])].join('-');
}
