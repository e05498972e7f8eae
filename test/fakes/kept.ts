/**
 * A copy that nobody can change: it may be handed out again and again, and what is stored stays as it is. Whoever
 * tries to change it learns of it. (The bytes of an event's body cannot be frozen.)
 */
export function kept<Value>(value: Value): Value {
  const copy = structuredClone(value);
  freeze(copy);
  return copy;
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  const parts: unknown[] = Object.values(value);
  parts.forEach(freeze);
  Object.freeze(value);
}
