/** What no log line, no message and no record may hold: a secret, a signature, what an event carries. */
export const payloadMarker = 'private-payload';
const forbidden = /whsec_|v1,[\w+/]{20}|private-payload|eyJ[\w-]{10}/;

export function secretIn(text: string): string | undefined {
  return forbidden.test(text)
    ? `it holds what must not be seen: ${forbidden.exec(text)?.[0] ?? ''}`
    : undefined;
}
