/** Whether no two items are the same, as JSON Schema has it: the order of an object's fields does not count. */
export function areUnique(items: readonly unknown[]): boolean {
  return new Set(items.map(canonical)).size === items.length;
}

/** The same text for the same value, whatever the order of its fields. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => (isObject(part) ? sorted(part) : part));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As a list of pairs: an object would put names that are numbers first, and cannot have a field `__proto__`. */
function sorted(object: Readonly<Record<string, unknown>>): unknown {
  const pairs = Object.entries(object).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return { fields: pairs };
}
