/** A value of an event that is neither an object nor a list, as aws/event-ruler flattens events. */
export interface Leaf {
  /** Names joined by dots; lists have no part in it. */
  readonly path: string;
  readonly value: string | number | boolean | null;
  /** Of each list on the way whose element is an object: which element. */
  readonly places: ReadonlyMap<unknown, number>;
}

/**
 * The leaves of an event at these paths. Elements of a list are leaves at the list's own path.
 */
export function leavesOf(event: unknown, paths: readonly string[]): Leaf[] {
  const leaves: Leaf[] = [];
  const isWanted = (path: string) => paths.some((one) => one === path || one.startsWith(`${path}.`));
  const walk = (value: unknown, path: string, places: Leaf['places']): void => {
    if (Array.isArray(value)) {
      for (const [index, one] of value.entries()) {
        walk(one, path, isObject(one) ? new Map([...places, [value, index]]) : places);
      }
    } else if (isObject(value)) {
      for (const [name, one] of Object.entries(value)) {
        const inner = path === '' ? name : `${path}.${name}`;
        if (isWanted(inner)) walk(one, inner, places);
      }
    } else if (isScalar(value)) {
      leaves.push({ path, value, places });
    }
  };
  walk(event, '', new Map());
  return leaves;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is Leaf['value'] {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
