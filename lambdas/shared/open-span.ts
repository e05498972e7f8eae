import { z } from 'zod';
import { ifObject } from './faults.ts';

const time = z.iso.datetime({ offset: true });

/** A stretch of time, open at the ends that are left out; both ends are included. For the query of a list. */
export const openSpan = {
  since: time.describe('Only what happened at this time or later.').optional(),
  until: time.describe('Only what happened at this time or earlier.').optional(),
};

export interface OpenSpan {
  /** ISO time. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** Whether a stretch does not end before it begins: DynamoDB takes none that does. */
export function isInOrder({ since, until }: OpenSpan): boolean {
  // Of a time that is none it is not said: it is told what it must be.
  return since === undefined || until === undefined || !(Date.parse(since) > Date.parse(until));
}

/** What is said of one that does. */
export const outOfOrder = { error: 'lies before since', path: ['until'], when: ifObject };
