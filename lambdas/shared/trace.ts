import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage<Trace>();

interface Trace {
  /** The header of AWS X-Ray, which EventBridge, SQS and Lambda hand on. */
  readonly header: string;
  /** Such as `1-5759e988-bd862e3fe1be46a994272793`. */
  readonly id: string;
}

const fields = {
  Root: /^1-[0-9a-f]{8}-[0-9a-f]{24}$/,
  Parent: /^[0-9a-f]{16}$/,
  Sampled: /^[01]$/,
} as const;

/**
 * Does a unit of work as a part of a trace: what it sends belongs to the trace, too, and its log lines name it.
 *
 * @param header trace header of the message or of the invocation; without one, or with what is none, the work remains a
 * part of the trace that it is in
 */
export function withinTrace<Result>(header: string | undefined, work: () => Result): Result {
  const trace = readTrace(header);
  return trace === undefined ? work() : current.run(trace, work);
}

/** The trace header of what is done now. */
export function traceHeader(): string | undefined {
  return current.getStore()?.header;
}

/** The id of the trace that what is done now belongs to. */
export function traceId(): string | undefined {
  return current.getStore()?.id;
}

/**
 * Only the fields that everybody knows: SQS refuses a message whose header it cannot read, and Lambda adds fields of
 * its own (`Lineage`).
 */
function readTrace(header: string | undefined): Trace | undefined {
  const said = new Map(
    (header ?? '').split(';').map((pair) => [pair.split('=')[0], pair.split('=')[1] ?? '']),
  );
  const id = said.get('Root') ?? '';
  if (!fields.Root.test(id)) return undefined;
  const pairs = Object.entries(fields).flatMap(([name, shape]) => {
    const value = said.get(name) ?? '';
    return shape.test(value) ? [`${name}=${value}`] : [];
  });
  return { header: pairs.join(';'), id };
}
