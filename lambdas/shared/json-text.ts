/**
 * The text of a member of a JSON object, as it stands there: what a value looks like is lost when it is parsed and
 * written again (1.0 becomes 1, 1e400 null, keys change places, of two of one name one is gone). Of several members of
 * the name it is the last one's, as `JSON.parse` has it. One pass.
 *
 * @param text a JSON text that has been parsed before
 * @returns `undefined` when it is no object, or has no such member
 * @throws SyntaxError when a string or a bracket has no end
 */
export function memberText(text: string, name: string): string | undefined {
  let at = skipBlanks(text, 0);
  if (text[at] !== '{') return undefined;
  let found: string | undefined;
  do {
    const keyFrom = skipBlanks(text, at + 1);
    if (text[keyFrom] !== '"') return found;
    const keyTo = endOfString(text, keyFrom);
    const from = skipBlanks(text, skipBlanks(text, keyTo) + 1); // behind the colon
    const to = endOfValue(text, from);
    if (JSON.parse(text.slice(keyFrom, keyTo)) === name) found = text.slice(from, to);
    at = skipBlanks(text, to);
  } while (text[at] === ',');
  return found;
}

/** The JSON text of an object with one more member behind the others, whose value is a JSON text already. */
export function withMemberText(members: object, name: string, valueText: string): string {
  const text = JSON.stringify(members).slice(0, -1);
  return `${text}${text === '{' ? '' : ','}${JSON.stringify(name)}:${valueText}}`;
}

const blanks = /[\t\n\r ]*/y;
const scalar = /[^\t\n\r ,\]}]*/y;

function skipBlanks(text: string, at: number): number {
  return endOfMatch(blanks, text, at);
}

function endOfMatch(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  pattern.exec(text);
  return pattern.lastIndex;
}

function endOfValue(text: string, at: number): number {
  if (text[at] === '"') return endOfString(text, at);
  return text[at] === '{' || text[at] === '[' ? endOfNested(text, at) : endOfMatch(scalar, text, at);
}

/** Counted, not followed: a text may be nested deeper than a stack is high. */
function endOfNested(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '"') at = endOfString(text, at) - 1;
    else if (letter === '{' || letter === '[') depth += 1;
    else if ((letter === '}' || letter === ']') && (depth -= 1) === 0) return at + 1;
  }
  throw new SyntaxError('a bracket that is not closed');
}

/** From a quotation mark to behind the one that ends the string: that with an even number of backslashes before it. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text[at - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return at + 1;
  }
  throw new SyntaxError('a string that does not end');
}
