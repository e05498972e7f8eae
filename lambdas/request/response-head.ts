import { AttemptFailure } from './failure.ts';
import { headBytesMax } from './limits.ts';

/** The final status line of a response, and the header lines that came with it. */
export interface ResponseHead {
  /** 200 to 599. */
  readonly status: number;
  /** By lower-case name, in the order in which they came. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

export interface HeadReader {
  /**
   * Takes what has come. Gives the head once it is complete, with the bytes of the body that came behind it.
   *
   * @throws AttemptFailure `invalid_response`, `header_overflow`
   */
  readonly take: (chunk: Buffer) => { readonly head: ResponseHead; readonly rest: Buffer } | undefined;
  /** The head as far as it has come, once its status line is complete. */
  readonly begun: () => ResponseHead | undefined;
  /** Of the last status line that is complete, 1xx among them. */
  readonly status: () => number | undefined;
  /** How many 1xx responses have come. */
  readonly informational: () => number;
}

/** The status line that a response begins with; of no other protocol do the first bytes look so. */
const protocol = 'HTTP/1.';

const lineFeed = 0x0a;

/**
 * Reads the head of a response as RFC 9112 tells a recipient to, not as a strict parser would: a receiver that has
 * answered 2xx has taken the event, however carelessly it writes. Lines may end without CR, the reason phrase may be
 * missing, values may be folded, and what is no header line is passed over. 1xx responses are passed over too, but 101:
 * nobody asked for another protocol.
 *
 * That is safe, because a connection carries one response and is closed: there is no second one to be smuggled in.
 */
export function makeHeadReader(): HeadReader {
  let [bytes, informational] = [0, 0];
  let pieces: Buffer[] = [];
  let lines: string[] = [];
  let status: number | undefined;

  /** Whether the head is complete. */
  function takeLine(line: string): boolean {
    if (status === undefined) {
      // Blank lines before a status line are left over from nowhere, and harmless.
      if (line !== '') status = statusOf(line);
      return false;
    }
    if (!/^\r*$/.test(line)) lines.push(line);
    else if (status >= 200) return true;
    else {
      informational += 1;
      [status, lines, bytes] = [undefined, [], 0];
    }
    return false;
  }

  const begun = () =>
    status === undefined || status < 200 ? undefined : { status, fields: fieldsOf(lines) };

  function take(chunk: Buffer): ReturnType<HeadReader['take']> {
    for (let from = 0; ;) {
      const end = chunk.indexOf(lineFeed, from);
      const piece = chunk.subarray(from, end === -1 ? chunk.length : end);
      bytes += piece.length + (end === -1 ? 0 : 1);
      if (bytes > headBytesMax) throw new AttemptFailure('header_overflow');
      pieces.push(piece);
      if (end === -1) {
        if (status === undefined) refuseOtherProtocols(pieces);
        return undefined;
      }
      const line = Buffer.concat(pieces).toString('latin1').replace(/\r$/, '');
      [pieces, from] = [[], end + 1];
      if (!takeLine(line)) continue;
      const head = begun();
      return head && { head, rest: chunk.subarray(from) };
    }
  }

  return { take, begun, status: () => status, informational: () => informational };
}

/** At once: who speaks another protocol may well say nothing more, and wait. */
function refuseOtherProtocols(pieces: readonly Buffer[]): void {
  const beginning = Buffer.concat(pieces.slice(0, protocol.length)).toString('latin1', 0, protocol.length);
  const isBlankLine = beginning === '\r';
  if (!isBlankLine && !protocol.startsWith(beginning))
    throw new AttemptFailure('invalid_response', 'not_http');
}

/** Any white space may stand where one blank should, and any minor version is read as 1.1. Source: RFC 9112, 4; RFC 9110, 2.5. */
function statusOf(line: string): number {
  const digits = /^HTTP\/1\.\d[\t\v\f\r ]+(\d{3})(?:[\t\v\f\r ]|$)/.exec(line)?.[1];
  if (digits === undefined) throw new AttemptFailure('invalid_response', 'not_http');
  const status = Number(digits);
  if (status === 101) throw new AttemptFailure('invalid_response', 'switching_protocols');
  if (status < 100 || status > 599) throw new AttemptFailure('invalid_response', 'unknown_status');
  return status;
}

function fieldsOf(lines: readonly string[]): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  let values: string[] = []; // of nobody, until there is a name: such lines are to be passed over (RFC 9112, 2.2)
  for (const line of lines) {
    const [, name, value = ''] = /^([^\t :][^:]*):(.*)$/s.exec(line) ?? [];
    if (/^[\t ]/.test(line)) values.push(`${values.pop() ?? ''} ${line.trim()}`.trim());
    else values = name === undefined ? [] : valuesOf(fields, name.trim().toLowerCase());
    if (name !== undefined) values.push(value.trim());
  }
  return fields;
}

function valuesOf(fields: Map<string, string[]>, name: string): string[] {
  const values = fields.get(name) ?? [];
  fields.set(name, values);
  return values;
}
