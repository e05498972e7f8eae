/** An event as the bus takes it. */
export interface OperatorEntry {
  readonly source: 'tidings';
  readonly detailType: string;
  /** JSON. */
  readonly detail: string;
}

/** Tells the operator, by an event on the bus; throws when the bus did not take it. */
export type Announce = (entry: OperatorEntry) => Promise<void>;

/**
 * What a person must know, for the bus (docs/operations.md). The rule that feeds Tidings leaves events of this
 * source alone. At least once: whoever dies between doing and saying says it again.
 */
export function operatorEvent(
  type: string,
  detail: Readonly<{ organizationId: string } & Record<string, unknown>>,
): OperatorEntry {
  return { source: 'tidings', detailType: type, detail: JSON.stringify(detail) };
}
