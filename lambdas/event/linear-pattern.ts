import { LRUCache } from 'lru-cache';
import { RE2JS } from 're2js';

/** What Ajv asks of a regular expression. */
interface Pattern {
  readonly test: (text: string) => boolean;
  /** Tells it from others. */
  readonly toString: () => string;
}

/**
 * Characters that one compiled pattern reads. It remembers a state for each that leads to a new one, so its memory is
 * bounded by them; to compile it anew costs less than to read them.
 */
const charactersMax = 4_096;

interface Kept {
  readonly pattern: RE2JS;
  left: number;
}

/** Of the patterns of all schemas, those that were used last: some 10 KB each. */
const keptMax = 1_000;
let kept = new LRUCache<string, Kept>({ max: keptMax });

/** Lets go of all, when one may have been interrupted in the midst of remembering. */
export function forgetPatterns(): void {
  kept = new LRUCache<string, Kept>({ max: keptMax });
}

/**
 * A pattern of a JSON Schema (ECMA-262, flag `u`) that takes time in proportion to the text, whatever both are. Patterns
 * with look-around or back-references are no regular ones: they run as the language has them, under the budget of
 * whoever asks.
 *
 * @throws SyntaxError for what is no pattern.
 */
export function linearPattern(source: string, flags: string): Pattern {
  const native = new RegExp(source, flags);
  const translated = compiles(source);
  const key = native.toString();
  if (translated === undefined) return native;
  return { test: (text) => isFound(translated, text), toString: () => key };
}

function isFound(translated: string, text: string): boolean {
  if (text.length > charactersMax) return RE2JS.compile(translated).test(text);
  let one = kept.get(translated);
  if (one === undefined || one.left < text.length) {
    one = { pattern: RE2JS.compile(translated), left: charactersMax };
    kept.set(translated, one);
  }
  one.left -= text.length;
  return one.pattern.test(text);
}

/** In the spelling of RE2; `undefined` for what it does not take. */
function compiles(source: string): string | undefined {
  try {
    const translated = RE2JS.translateRegExp(inSpellingOfRe2(source));
    RE2JS.compile(translated);
    return translated;
  } catch {
    return undefined;
  }
}

/** White space as ECMA-262 has it: RE2 knows that of ASCII only. */
const space = String.raw`\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`;
const noSpace =
  String.raw`\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}` +
  String.raw`\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}`;
const anything = String.raw`\x{0}-\x{10ffff}`;

/** By what stands outside of brackets. */
const outside: Readonly<Record<string, string>> = {
  '.': String.raw`[^\n\r\x{2028}\x{2029}]`,
  '[]': `[^${anything}]`,
  '[^]': `[${anything}]`,
  '\\s': `[${space}]`,
  '\\S': `[${noSpace}]`,
};

/** And by what stands inside of them. */
const inside: Readonly<Record<string, string>> = {
  '[': '\\[',
  '\\s': space,
  '\\S': noSpace,
  '\\b': '\\x08',
};

const [high, low] = [String.raw`\\u[dD][89abAB][\da-fA-F]{2}`, String.raw`\\u[dD][c-fC-F][\da-fA-F]{2}`];
const tokensOutside = new RegExp(`${high}${low}|\\\\[^]|\\[\\^?\\]|\\(\\?[^:<]|[^]`, 'uy');
const tokensInside = new RegExp(`${high}${low}|\\\\[^]|[^]`, 'uy');

/** Where RE2 reads otherwise than ECMA-262, the pattern says the same in other words. */
function inSpellingOfRe2(source: string): string {
  let [written, at, isInside] = ['', 0, false];
  while (at < source.length) {
    const tokens = isInside ? tokensInside : tokensOutside;
    tokens.lastIndex = at;
    const [token] = tokens.exec(source) ?? [source.slice(at)];
    at += token.length;
    // Look-around is for the language's own engine; what sets flags would change what stands here in other words.
    if (!isInside && token.startsWith('(?')) throw new SyntaxError('RE2 has no words for this');
    written += (isInside ? inside : outside)[token] ?? pairOf(token) ?? token;
    if (token === '[') isInside = true;
    if (token === ']') isInside = false;
  }
  return written;
}

/** A letter beyond 16 bits that is written as two halves. */
function pairOf(token: string): string | undefined {
  if (token.length !== 12) return undefined;
  const [first, second] = [token.slice(2, 6), token.slice(8)].map((digits) => Number.parseInt(digits, 16));
  return `\\x{${
    String.fromCharCode(first ?? 0, second ?? 0)
      .codePointAt(0)
      ?.toString(16) ?? ''
  }}`;
}
