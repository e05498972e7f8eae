import { z } from 'zod';

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

/** Sixteen digits are the first that can exceed 2^53, a point may stand among them; or an exponent of three. */
const digitsThatMayNotFit = /\d(?:\.?\d){15}|\d[eE][+-]?\d{3}/;

function keepExact(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || !digitsThatMayNotFit.test(source)) return value;
  return String(value) === withShortExponent(source) ? value : rawJson(source);
}

/** `1e21` and `5.9e-08` as JavaScript writes them, `1e+21` and `5.9e-8`: the same number is no other one. */
function withShortExponent(source: string): string {
  return source.replace(/[eE]([+-]?)0*(?=\d)/, (_all, sign: string) => (sign === '-' ? 'e-' : 'e+'));
}

/**
 * The same value with the numbers that a double can hold, for who calculates with them: of two texts that stand for one
 * double none is greater. What is greater than any double is the greatest.
 */
export function plainOf<Value>(value: Value): Value {
  const text = JSON.stringify(value);
  return (digitsThatMayNotFit.test(text) ? JSON.parse(text, makeFinite) : JSON.parse(text)) as Value;
}

function makeFinite(_name: string, value: unknown): unknown {
  if (value === Infinity) return Number.MAX_VALUE;
  return value === -Infinity ? -Number.MAX_VALUE : value;
}

/**
 * Any JSON object, handed on as it is. (`z.record` would take a number kept as its text for an object, and drop a
 * field named `__proto__`.)
 */
export const jsonObject = z
  .custom<Readonly<Record<string, unknown>>>((value) => isJsonObject(value), {
    error: 'must be an object',
    // Else no rule about two fields would be held against what it stands in.
    abort: false,
  })
  .meta({ type: 'object', additionalProperties: true });

/** Whether a parsed value is a JSON object; a number kept as its text is none. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawJson(value);
}

/** The same text for the same value, whatever the order of its fields; a number kept as its text stays that text. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) => (isJsonObject(part) ? inOrder(part) : part));
}

/** Fields whose names are numbers come first, in any object alike; `fromEntries` makes a field of `__proto__`, too. */
function inOrder(object: Readonly<Record<string, unknown>>): unknown {
  return Object.fromEntries(Object.entries(object).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** The levels that EventBridge takes are 1,000, its envelope and ours included. */
export const jsonDepthMax = 900;

/**
 * How deep arrays and objects are nested in a JSON text; to be asked before it is parsed, as recursion is ours to bound.
 * Looks at each character once, whatever the text is: a stranger may send it.
 */
export function jsonDepth(text: string): number {
  let [depth, deepest, isString] = [0, 0, false];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) isString = !isString;
    else if (isString) at += code === backslash ? 1 : 0;
    else if (code === openBracket || code === openBrace) deepest = Math.max(deepest, (depth += 1));
    else if (code === closeBracket || code === closeBrace) depth -= 1;
  }
  return deepest;
}

const [quote, backslash] = [0x22, 0x5c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Part of the language since ES2026 and of Node since 21; TypeScript's library does not describe it yet. */
const { rawJSON: rawJson, isRawJSON: isRawJson } = JSON as typeof JSON & {
  rawJSON: (text: string) => unknown;
  isRawJSON: (value: unknown) => boolean;
};
