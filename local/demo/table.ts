import { styleText } from 'node:util';
import { z } from 'zod';

/** The table's head: what the columns of `rowOf` mean. */
export function tableHead(): string {
  return styleText('bold', line(['time', 'event', 'endpoint', 'attempt', 'result'], 'milliseconds'));
}

/** What the deliver function says of every attempt. */
const attempted = z.object({
  message: z.literal('delivery.attempted'),
  endpointId: z.string(),
  eventType: z.string(),
  attempt: z.number(),
  outcome: z.enum(['delivered', 'retry', 'dead']),
  code: z.string().optional(),
  statusCode: z.number().optional(),
  durationMs: z.number(),
});

const colors = { delivered: 'green', retry: 'yellow', dead: 'red' } as const;

/**
 * A row for a line of a function's log, or nothing when the line tells of no attempt.
 *
 * @param nameOf name of an endpoint by its id.
 */
export function rowOf(logLine: string, nameOf: (endpointId: string) => string): string | undefined {
  const parsed = attempted.safeParse(parseJson(logLine));
  if (!parsed.success) return undefined;
  const { endpointId, eventType, attempt, outcome, durationMs, ...reason } = parsed.data;
  const time = new Date().toTimeString().slice(0, 8);
  const result = [outcome, reason.code ?? reason.statusCode].join(' ').trim();
  const cells = [time, eventType, nameOf(endpointId), `#${attempt}`, result];
  return styleText(colors[outcome], line(cells, String(Math.round(durationMs))));
}

const widths = [8, 30, 10, 7, 18] as const;

function line(cells: readonly string[], milliseconds: string): string {
  const padded = widths.map((width, index) => (cells[index] ?? '').padEnd(width));
  return [...padded, milliseconds.padStart(12)].join('  ');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
