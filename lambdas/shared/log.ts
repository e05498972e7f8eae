/** Ids, outcomes and durations: scalars only, so that no payload can slip into a line. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes one wide line for one unit of work, such as `delivery.attempted`. */
export type Log = (message: string, fields: LogFields) => void;

/** What may be said of an error of ours: its class, never its message, which may quote data. */
export function nameOfFault(fault: unknown): string {
  return fault instanceof Error ? fault.name : typeof fault;
}
