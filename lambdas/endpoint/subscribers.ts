import type { Organization } from '../organization/organization.ts';
import type { Endpoint } from './endpoint.ts';

/** An organization with all its endpoints. */
export interface Subscribers {
  /** Absent when there is no such organization. */
  readonly organization: Organization | undefined;
  readonly endpoints: readonly Endpoint[];
  /** Those whose removal has begun and was cut off: nothing is sent to them, and a removal of them goes on. */
  readonly leaving?: readonly Endpoint[];
}

/** Whether the organization that was looked for is there. */
export function exists({ organization }: Subscribers): boolean {
  return organization !== undefined;
}
