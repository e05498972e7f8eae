import { randomUUID } from 'node:crypto';

/** A request that the runner itself sends to a sample. */
export interface Forged {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Requests of one kind, each of which must meet the same verdict. */
export interface Case {
  readonly column: OwnColumn;
  readonly verdict: 'accepted' | 'refused';
  /** By what is special about each; made when its turn comes, as their time is part of them. */
  readonly requests: Readonly<Record<string, () => Forged>>;
}

/** Columns of the table for what the runner sends itself. */
export const ownColumns = [
  'genuine',
  'tampered',
  'stale',
  'foreign key',
  'missing header',
  'malformed',
  'algorithm',
  'audience, issuer',
  'type',
  'still up',
] as const;
export type OwnColumn = (typeof ownColumns)[number];

/** Receivers take what is five minutes old; one second more is a replay. */
export const staleSeconds = 301;
/** Old, but not too old for a slow machine to send it in time. */
export const oldSeconds = 240;
/** From a clock that is fast: longer than the tolerance and than this machine takes to send it. */
export const aheadSeconds = 360;

export const nowSeconds = () => Math.floor(Date.now() / 1000);

/** An event as Tidings would send it. */
export function anEvent(text = 'é漢🎉'): Buffer {
  const event = { id: newEventId(), type: 'pipeline.run.failed', timestamp: new Date().toISOString() };
  return Buffer.from(JSON.stringify({ ...event, organizationId: 'org_1', data: { text } }));
}

export const newEventId = () => `evt_${randomUUID().replaceAll('-', '')}`;

/** The same body with one bit changed. */
export function flipped(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  const place = copy.indexOf('failed');
  copy[place] = (copy[place] ?? 0) ^ 1;
  return copy;
}

export function without({ headers, body }: Forged, ...names: readonly string[]): Forged {
  return {
    body,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name))),
  };
}

export function changed({ headers, body }: Forged, more: Readonly<Record<string, string>>): Forged {
  return { body, headers: { ...headers, ...more } };
}
