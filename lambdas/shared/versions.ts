import type { Cached } from './cache.ts';

/** Of what concerns every organization, such as the catalogue of event types: no organization has this id. */
export const deployment = '*';

/** How often the configuration of an organization, or of the deployment, has been changed. */
export interface Versions {
  /** As it was seen last, however long ago; looked up when it never was. */
  readonly seen: (of: string) => Promise<number>;
  /**
   * As it was half a second ago, or later: what goes by it heeds whatever the API has answered a second ago.
   *
   * @param sinceMs as it was then, or later, by the function's own clock; nothing for any time of that half second
   */
  readonly latest: (of: string, sinceMs?: number) => Promise<number>;
  /**
   * Somebody else has seen a version: whoever has seen none goes by it, and has a look less to wait for. `latest` looks
   * all the same.
   */
  readonly told: (of: string, version: number | undefined) => void;
}

/**
 * What is remembered of a configuration, as of the version of it that was seen last.
 *
 * @param remembered looks things up by ids of which the first says whose configuration it is
 */
export function byVersion<Value extends object>(
  { seen }: Pick<Versions, 'seen'>,
  remembered: Cached<Value>,
): (of: string, ...ids: string[]) => Promise<Value> {
  return async (of, ...ids) => remembered(of, ...ids, String(await seen(of)));
}

/**
 * Says that a configuration has been changed; after this, `latest` answers otherwise than before.
 *
 * @param of an organization, or `deployment`
 */
export type SayChanged = (of: string) => Promise<void>;
