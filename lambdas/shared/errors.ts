/** One thing that is wrong with a request. */
export interface Fault {
  /** Path of the field, such as `policy.retry.multiplier`; absent when it is the whole body. */
  readonly field?: string;
  readonly code: string;
  /** What must be so, in words of ours; never what was sent. */
  readonly detail: string;
}

/**
 * What a caller did wrong. The message is a sentence for the caller and never holds what was sent;
 * `code` is stable and documented. Everything that is not a Refusal is our own fault.
 */
export abstract class Refusal extends Error {
  public abstract readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 415 | 422 | 429;
  public readonly code: string;
  /** Path of the field at fault, such as `policy.retry.multiplier`. */
  public field: string | undefined;
  /** All that is wrong, this first; one, unless more was found at the same time. */
  public faults: readonly Fault[];

  public constructor(code: string, message: string, field?: string) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.field = field;
    this.faults = field === undefined ? [] : [{ field, code, detail: message }];
  }

  /** The same refusal of a part of something larger, whose place there is given. */
  public at(place: string): this {
    const placed = (field: string | undefined) => (field === undefined ? place : `${place}.${field}`);
    this.field = placed(this.field);
    if (this.faults.length === 0) this.faults = [{ code: this.code, detail: this.message }];
    this.faults = this.faults.map((fault) => ({ ...fault, field: placed(fault.field) }));
    return this;
  }
}

/** The request cannot be understood or breaks a rule. */
export class InvalidRequest extends Refusal {
  public readonly status = 400;
}

/** Nobody is known to have asked. */
export class Unauthorized extends Refusal {
  public readonly status = 401;
}

/** The caller is known, but may not do this. */
export class Forbidden extends Refusal {
  public readonly status = 403;
}

/** The token of the caller does not go so far. */
export class InsufficientScope extends Forbidden {
  public readonly scope: string;

  public constructor(scope: string) {
    super('insufficient_scope', `This takes a token with the scope ${scope}.`);
    this.scope = scope;
  }
}

/** There is no such thing, or it is another organization's: the two answers are the same. */
export class NotFound extends Refusal {
  public readonly status = 404;

  public constructor(what: string) {
    super('not_found', `There is no such ${what} here.`);
  }
}

/** There is such a path, but not for this method. */
export class MethodNotAllowed extends Refusal {
  public readonly status = 405;
  /** Those that there are. */
  public readonly allowed: readonly string[];

  public constructor(allowed: readonly string[]) {
    super('method_not_allowed', `This path takes ${allowed.join(', ')}.`);
    this.allowed = allowed;
  }
}

/** More than anybody reads: a body of a megabyte may be wrong in a hundred thousand places. */
export const faultsMax = 50;

/**
 * Applies several rules to one request, and tells at once what each of them refuses.
 *
 * @throws InvalidRequest the first one, with the faults of all; what else is thrown rises if nothing was refused before.
 */
export async function allOf(...rules: readonly (() => Promise<void> | void)[]): Promise<void> {
  const refusals: InvalidRequest[] = [];
  for (const rule of rules) {
    try {
      await rule();
    } catch (thrown) {
      if (thrown instanceof InvalidRequest) refusals.push(thrown);
      else if (refusals.length === 0) throw thrown;
    }
  }
  throwAll(refusals);
}

/**
 * The same for rules that look nothing up.
 *
 * @throws InvalidRequest the first one, with the faults of all.
 */
export function allNow(...rules: readonly (() => void)[]): void {
  const refusals: InvalidRequest[] = [];
  for (const rule of rules) readOrKeep(refusals, rule);
  throwAll(refusals);
}

/** @throws InvalidRequest the first of them, if there is one, with the faults of all */
export function throwAll(refusals: readonly InvalidRequest[]): void {
  const [first] = refusals;
  if (first === undefined) return;
  // One that is about no field has nothing in its list; among others it would be lost.
  const listed = ({ faults, code, message }: InvalidRequest): readonly Fault[] =>
    faults.length > 0 || refusals.length === 1 ? faults : [{ code, detail: message }];
  first.faults = refusals.flatMap(listed).slice(0, faultsMax);
  throw first;
}

/** What a part of a request is read as; its refusal is kept, to be told together with what else is wrong. */
export function readOrKeep<Part>(refusals: InvalidRequest[], read: () => Part): Part | undefined {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof InvalidRequest)) throw thrown;
    refusals.push(thrown);
    return undefined;
  }
}

/** The request contradicts what is stored. */
export class Conflict extends Refusal {
  public readonly status = 409;
}

/** What was not there when it was looked for has been made by somebody else since. */
export class MadeMeanwhile extends Conflict {
  public constructor(what: string) {
    super('changed_meanwhile', `Somebody else has just made this ${what}: try again.`);
  }
}

/** What the caller has seen is not what is stored any more. */
export class PreconditionFailed extends Refusal {
  public readonly status = 412;
}

/** More bytes than the limit that the message names. */
export class TooLarge extends Refusal {
  public readonly status = 413;
}

/** The body is of a kind that this operation does not take. */
export class UnsupportedType extends Refusal {
  public readonly status = 415;
  /** The header that names those that it takes: `Accept-Post`, `Accept-Patch`, or `Accept`. */
  public readonly accepts: Readonly<Record<string, string>>;

  public constructor(message: string, accepts: Readonly<Record<string, string>>) {
    super('unsupported_media_type', message);
    this.accepts = accepts;
  }
}

/** Understood, and yet not to be done: it contradicts what the caller has said before. */
export class Unprocessable extends Refusal {
  public readonly status = 422;
}

/** More often than the limit that the message names. */
export class TooMany extends Refusal {
  public readonly status = 429;
  /** By then it may be tried again. */
  public readonly retryAfterSeconds: number;

  public constructor(code: string, message: string, retryAfterSeconds: number) {
    super(code, message);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** A write that failed, and that has certainly not been made: what was made for it beforehand can be undone. */
export class NotWritten extends Error {
  public constructor(cause: unknown) {
    super('nothing was written', { cause });
    // In the log stands what failed, not that it was looked at.
    this.name = cause instanceof Error ? cause.name : 'NotWritten';
  }
}

/**
 * What a look-up gives.
 *
 * @throws NotFound when it gave nothing.
 */
export async function found<Thing>(looked: Promise<Thing | undefined>, what: string): Promise<Thing> {
  const thing = await looked;
  if (thing === undefined) throw new NotFound(what);
  return thing;
}
