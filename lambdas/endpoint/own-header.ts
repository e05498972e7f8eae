import { z } from 'zod';
import { allOf, InvalidRequest } from '../shared/errors.ts';
import type { SecretName, SecretWriter } from '../signing/secret.ts';

/** A token (RFC 9110, section 5.6.2): every name that a header may have. */
const name = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/, "letters, digits and !#$%&'*+-.^_`|~, 1 to 64 of them");

/** Of all names and values together; a receiver's server takes 8 to 16 kB of headers, ours included. */
const bytesMax = 4_096;

/**
 * Visible ASCII, with spaces and tabs inside. CR and LF would begin another header. Tokens of Entra and Cognito have
 * more than 1 kB: one value may use up what all of them may have.
 */
const value = z
  .string()
  .regex(/^[\x21-\x7e](?:[\t\x20-\x7e]{0,4094}[\x21-\x7e])?$/, 'visible ASCII, 1 to 4096 characters');

/** A header that an administrator wants on every request; a secret one without a value keeps the value it has. */
const wantedHeader = z
  .strictObject({ name, value: value.exactOptional(), secret: z.boolean().exactOptional() })
  .meta({ id: 'WantedHeader' });

export const wantedHeaders = z.array(wantedHeader).max(20);

/** Those of a new endpoint, whose headers have no values yet. */
export const newHeaders = z.array(wantedHeader.extend({ value }).meta({ id: 'NewHeader' })).max(20);

/** A header as the configuration keeps it: the value of a secret one is a version in Secrets Manager. */
export const ownHeader = z.union([
  z.object({ name, value }),
  z.object({ name, secret: z.literal(true), versionId: z.string() }),
]);

/** A header as it is shown: a secret value never comes back. */
export const shownHeader = z.union([
  z.object({ name, value }).meta({ id: 'PlainHeader' }),
  z.object({ name, secret: z.literal(true) }).meta({ id: 'SecretHeader' }),
]);

export type WantedHeader = z.output<typeof wantedHeader>;
export type OwnHeader = z.output<typeof ownHeader>;

/** Labels in one secret: Secrets Manager allows twenty, and a replaced value has its own until it is retired. */
const secretsMax = 8;

/** Refused in any spelling: they decide where a request goes or ends, or are ours. */
const denied =
  /^(host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-.*|date|via|forwarded|x-forwarded-.*|proxy-.*|cookie|set-cookie|user-agent|accept-encoding|signature|signature-input|webhook-.*|x-amz.*|traceparent|tracestate)$/i;

/**
 * Judges the headers of an endpoint, and tells all that is wrong with them.
 *
 * @throws InvalidRequest `header_not_allowed`, or `invalid_request` for a missing value or too many bytes.
 */
export function judgeHeaders(wanted: readonly WantedHeader[], before: readonly OwnHeader[]): Promise<void> {
  const bytes = wanted.reduce((sum, { name, value }) => sum + name.length + (value?.length ?? 0), 0);
  return allOf(
    () => judgeNames(wanted),
    ...wanted.map((header, index) => () => {
      if (header.value === undefined && keptVersion(header, before) === undefined) {
        throw refusal('This header has no value yet: give one.', `headers.${String(index)}.value`);
      }
    }),
    () => {
      if (bytes > bytesMax)
        throw refusal(
          `Headers may have ${String(bytesMax)} bytes in all, names and values together.`,
          'headers',
        );
    },
    () => {
      if (wanted.filter(isSecret).length > secretsMax) {
        throw refusal('An endpoint may have 8 secret headers.', 'headers');
      }
    },
  );
}

/**
 * Judges the names of headers, whatever else of them is there.
 *
 * @throws InvalidRequest `header_not_allowed`, or `invalid_request` for one that is named twice.
 */
export function judgeNames(
  headers: readonly ({ readonly name?: string | undefined } | undefined)[],
): Promise<void> {
  const names = headers.map((header) => header?.name?.toLowerCase());
  return allOf(
    ...names.map((lower, index) => () => {
      if (lower !== undefined) judgeName(lower, names.slice(0, index), `headers.${String(index)}.name`);
    }),
  );
}

/** @param earlier names of the headers that stand before it */
function judgeName(lower: string, earlier: readonly (string | undefined)[], field: string): void {
  // Behind CGI and its heirs `_` and `-` are the same, and so may other signs be: Webhook_Id would be read as webhook-id.
  if (denied.test(lower.replace(/[^a-z0-9]/g, '-'))) {
    const sentence = lower.startsWith('webhook')
      ? headersOfOurs
      : 'This header belongs to the request itself.';
    throw new InvalidRequest('header_not_allowed', sentence, field);
  }
  if (earlier.includes(lower)) throw refusal('This header is named twice.', field);
}

const headersOfOurs =
  'Tidings sets the headers that begin with webhook- itself; servers read Webhook_Id, too, as one of them.';

function refusal(message: string, field: string): InvalidRequest {
  return new InvalidRequest('invalid_request', message, field);
}

/** Credentials are secret whatever their owner says. */
function isSecret({ name, secret }: WantedHeader): boolean {
  return secret === true || name.toLowerCase() === 'authorization';
}

function keptVersion({ name, value }: WantedHeader, before: readonly OwnHeader[]): string | undefined {
  if (value !== undefined) return undefined;
  const header = before.find((one) => one.name.toLowerCase() === name.toLowerCase());
  return header !== undefined && 'versionId' in header ? header.versionId : undefined;
}

/** The headers as they will be shown once these are wanted. */
export function headersAfter(
  wanted: readonly WantedHeader[],
  before: readonly OwnHeader[],
): z.output<typeof shownHeader>[] {
  return wanted.map((header) => {
    const { name, value } = header;
    const isKept = keptVersion(header, before) !== undefined;
    return isKept || value === undefined || isSecret(header) ? { name, secret: true } : { name, value };
  });
}

/** Names of the headers whose secret value will be written anew: nobody can tell whether it is the one of before. */
export function newSecrets(wanted: readonly WantedHeader[]): string[] {
  return wanted.filter((header) => header.value !== undefined && isSecret(header)).map(({ name }) => name);
}

export interface HeaderPorts {
  readonly secrets: Pick<SecretWriter, 'put' | 'retire'>;
  readonly newUuid: () => string;
}

/** Writes the values of secret headers, each as a version of its own, and gives the headers as they are kept. */
export async function storeHeaders(
  { secrets, newUuid }: HeaderPorts,
  owner: Omit<SecretName, 'part'>,
  { wanted, before }: { wanted: readonly WantedHeader[]; before: readonly OwnHeader[] },
): Promise<OwnHeader[]> {
  const stored: OwnHeader[] = [];
  for (const header of wanted) {
    const { name, value } = header;
    const kept = keptVersion(header, before);
    if (kept !== undefined) {
      stored.push({ name, secret: true, versionId: kept });
    } else if (value !== undefined && isSecret(header)) {
      const id = newUuid();
      await secrets.put({ ...owner, part: 'headers' }, { id, value });
      stored.push({ name, secret: true, versionId: id });
    } else if (value !== undefined) {
      stored.push({ name, value });
    }
  }
  return stored;
}

/** Retires the values that a change has left behind; to be called once the change is written. */
export async function retireHeaders(
  { secrets }: HeaderPorts,
  owner: Omit<SecretName, 'part'>,
  { before, after }: { before: readonly OwnHeader[]; after: readonly OwnHeader[] },
): Promise<void> {
  const live = new Set(versionsOf(after));
  for (const versionId of versionsOf(before).filter((id) => !live.has(id))) {
    await secrets.retire({ ...owner, part: 'headers' }, versionId);
  }
}

function versionsOf(headers: readonly OwnHeader[]): string[] {
  return headers.flatMap((header) => ('versionId' in header ? [header.versionId] : []));
}
