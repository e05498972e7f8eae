import { createHash } from 'node:crypto';
import { canonicalText } from '../../shared/json.ts';

export interface Published {
  readonly type: string;
  /** As it came; nothing, if the producer named none. */
  readonly resource: unknown;
  readonly data: unknown;
}

/**
 * Tells whether two events that have the same key and time say the same: by type, resource and data, whatever the order
 * of fields. Whoever carries an event may write its JSON anew; another number, or another text, is another event.
 */
export function fingerprintOf({ type, resource = null, data = null }: Published): string {
  return createHash('sha256')
    .update(canonicalText([type, resource, data]))
    .digest('base64url');
}

const prefix = 'tidings:fingerprint:';

/**
 * What the API sends along, in the field that EventBridge has for resources: whatever carries the event on, the router
 * knows by it whether it is the very event that was queued.
 */
export function resourcesOf(fingerprint: string): string[] {
  return [prefix + fingerprint];
}

/** The fingerprint among the resources of an event; nothing when there is none. */
export function fingerprintAmong(resources: readonly string[]): string | undefined {
  return resources.find((one) => one.startsWith(prefix))?.slice(prefix.length);
}
