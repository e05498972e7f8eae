/**
 * Parses JSON without harming numbers that a double cannot hold: `JSON.parse` turns 12345678901234567890 into
 * 12345678901234567000, and a receiver would get another number than the producer sent. Such a number is kept
 * as its own text (`JSON.rawJSON`), which `JSON.stringify` writes out again unchanged.
 *
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string): unknown {
  // Looking at every value costs several times the parsing, so only texts that hold such a number pay for it.
  return digitsThatMayNotFit.test(text) ? JSON.parse(text, keepExact) : JSON.parse(text);
}

/** Sixteen digits are the first that can exceed 2^53; a point may stand among them. */
const digitsThatMayNotFit = /\d(?:\.?\d){15}/;

function keepExact(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || !digitsThatMayNotFit.test(source)) return value;
  return String(value) === source ? value : rawJson(source);
}

/** Part of the language since ES2026 and of Node since 21; TypeScript's library does not describe it yet. */
const { rawJSON: rawJson } = JSON as typeof JSON & { rawJSON: (text: string) => unknown };
