const allowed = Symbol.for('tidings.local.receivers');

/**
 * Whether this process may post to loopback addresses. Only the local runtime says so, by a symbol on
 * `globalThis`: no environment variable, template, setting or request can, so nothing deployed ever may.
 */
export function areLocalReceiversAllowed(): boolean {
  return (globalThis as { [allowed]?: unknown })[allowed] === true;
}
