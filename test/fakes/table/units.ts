/** Write units of an item: one for each KB that has begun. */
export function writeUnits(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / 1_024));
}

/** Read units of what was read together: one for each 4 KB that have begun, half as much without strong consistency. */
export function readUnits(bytes: number, isConsistent: boolean): number {
  return Math.max(1, Math.ceil(bytes / 4_096)) * (isConsistent ? 1 : 0.5);
}

/** A request, as its caller pays for it. */
export interface ObservedRequest {
  readonly operation:
    'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'Query' | 'BatchGetItem' | 'TransactWriteItems';
  readonly table: string;
  /** The index that was read. */
  readonly index?: string;
  readonly readUnits: number;
  /** Of the table and its indexes together. */
  readonly writeUnits: number;
  /** Of each index that has changed; a condition that failed is paid for, and changes none. */
  readonly indexWriteUnits: Readonly<Record<string, number>>;
  /** Items that were read or written, and how large they are in the table or the index. */
  readonly items: number;
  readonly bytes: number;
  readonly isConditionFailed: boolean;
}

export type Observe = (request: ObservedRequest) => void;
