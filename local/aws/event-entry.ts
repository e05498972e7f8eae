import { z } from 'zod';

/** A time given counts as 14 bytes. Source: EventBridge user guide, "Calculating PutEvents event entry size". */
const timeBytes = 14;

/** One entry of PutEvents, on the wire. Nothing is required here: what is missing is reported for the entry alone. */
export const putEventsEntry = z.strictObject({
  /** Seconds since 1970. */
  Time: z.number().optional(),
  Source: z.string().optional(),
  Resources: z.array(z.string()).optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  EventBusName: z.string().optional(),
  TraceHeader: z.string().optional(),
});
export type PutEventsEntry = z.output<typeof putEventsEntry>;

/** The standard envelope, as targets get it. */
export interface EventEnvelope {
  version: '0';
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  /** ISO 8601 to the second. */
  time: string;
  region: string;
  resources: string[];
  detail: Record<string, unknown>;
}

/**
 * The envelope as it is put on a queue: the detail as its producer wrote it. What AWS does to numbers that no double
 * holds, and to blanks, is not documented (docs/first-deployment.md); a stand-in that changes them would hide what we do.
 */
export function envelopeText({ detail: _parsed, ...envelope }: EventEnvelope, detailText: string): string {
  return `${JSON.stringify(envelope).slice(0, -1)},"detail":${detailText}}`;
}

export type EntryCheck =
  | { kind: 'good'; source: string; detailType: string; detail: Record<string, unknown>; detailText: string }
  | { kind: 'bad'; code: string; message: string };

/** Whether EventBridge would take the entry, and if not, what it would say. */
export function checkEntry(entry: PutEventsEntry): EntryCheck {
  const { Source: source, DetailType: detailType, Detail: text } = entry;
  if (!source) return missing('Source');
  if (!detailType) return missing('DetailType');
  if (!text) return missing('Detail');
  if (source.startsWith('aws.')) {
    return {
      kind: 'bad',
      code: 'NotAuthorizedForSourceException',
      message: 'Not authorized for the source.',
    };
  }
  if (detailType.length > 128) return invalidArgument('DetailType is longer than 128 characters.');
  const detail = parseDetail(text);
  if (detail === undefined) return { kind: 'bad', code: 'MalformedDetail', message: 'Detail is malformed.' };
  return { kind: 'good', source, detailType, detail, detailText: text };
}

/** What an entry counts towards the size of its call. */
export function entryBytes({
  Time,
  Source = '',
  DetailType = '',
  Detail = '',
  Resources = [],
}: PutEventsEntry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time === undefined ? 0 : timeBytes);
}

function parseDetail(text: string): Record<string, unknown> | undefined {
  try {
    return z.record(z.string(), z.unknown()).safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function missing(name: string): EntryCheck {
  return invalidArgument(`Parameter ${name} is not valid. Reason: ${name} is a required argument.`);
}

function invalidArgument(message: string): EntryCheck {
  return { kind: 'bad', code: 'InvalidArgument', message };
}
