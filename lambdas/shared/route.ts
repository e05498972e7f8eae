import { z } from 'zod';
import { asOvertaken, etagOf, etagOfAnswer, mustMatch } from './etag.ts';
import type { Conditions } from './etag.ts';
import { allOf, throwAll } from './errors.ts';
import type { InvalidRequest } from './errors.ts';
import { parsePart, refusalOf } from './faults.ts';
import type { Parsed } from './faults.ts';
import { TextPage } from './page.ts';
import { soundOf } from './sound.ts';
import type { Sound } from './sound.ts';

export type Scope = 'webhooks:read' | 'webhooks:write' | 'webhooks:operate';

/** Who calls, as the token says. */
export interface Caller {
  readonly subject: string;
  readonly organizationId: string | undefined;
  readonly scopes: ReadonlySet<string>;
}

/**
 * Makes a change that stands in the audit.
 *
 * @param before what people see of the thing, without secrets; `undefined` when there is none yet
 * @param work the change itself
 * @param shown what they see of it afterwards; `undefined` when nothing is left of it
 */
export type Audited = <Result>(
  before: unknown,
  work: () => Promise<Result>,
  shown: (result: Result) => unknown,
) => Promise<Result>;

/** For a change whose result is what people see. */
export function itself<Result>(result: Result): Result {
  return result;
}

/** For a change that leaves nothing to see. */
export function nothing(): undefined {
  return undefined;
}

/** A request that has come with an `Idempotency-Key`, by which it is the same however often it comes. */
export interface KeyedRequest {
  /** Of caller, operation and key, none of which can be read from it. */
  readonly id: string;
  /** When it came first, in milliseconds since 1970; one that failed comes again. */
  readonly firstAtMs: number;
}

/** Parts of a request as they came, before any schema has seen them. */
export interface RawRequest extends Conditions {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  /** The text that was parsed into `body`; without it, what `body` is written as. */
  readonly bodyText?: () => string;
  /** What is wrong beside these parts, such as in a header: then it is refused, and all is told at once. */
  readonly refusals?: readonly InvalidRequest[];
  readonly caller: Caller;
  readonly keyed?: KeyedRequest | undefined;
  /** Without it a change is made, and nothing is written down. */
  readonly audited?: Audited;
}

export interface Answer {
  readonly status: number;
  /** Nothing for 204. */
  readonly body?: unknown;
  readonly cacheSeconds?: number | undefined;
  /** Of a body that is a text as it is; without it the body is sent as JSON. */
  readonly contentType?: string | undefined;
  readonly etag?: string | undefined;
  /** Path of what was made, or of where to look how far it is. */
  readonly location?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Where a page that is a text goes on. */
  readonly nextCursor?: string | null | undefined;
}

interface Description<Params, Query, Body> {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';
  /** `/v1/organizations/{organizationId}/…`, parameters in braces as in OpenAPI. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  /** `public` takes no token at all. */
  readonly scope: Scope | 'public';
  /**
   * What the organization's plan must allow: `none` is open to every plan, `read` also to an
   * organization whose plan has lapsed, `write` only to an entitled one.
   */
  readonly entitlement: 'none' | 'read' | 'write';
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Bytes of the body, of an operation that takes more than most. */
  readonly bodyBytesMax?: number;
  readonly answer: {
    readonly status: number;
    readonly schema: z.ZodType | undefined;
    /** How long anybody may keep a successful answer; without it, nobody may. */
    readonly cacheSeconds?: number;
    /** Of a text; without it the answer is JSON. */
    readonly contentType?: string;
    /** Beside those that every answer has. */
    readonly headers?: Readonly<Record<string, string>>;
    /** Path of what was made or begun, with names of parameters and of the answer's fields in braces. */
    readonly location?: string;
  };
  /** Whether it may make what it is asked to write: then it answers 201 and gives its own path (`Made`). */
  readonly mayCreate?: true;
  /** Media types of its body, of an operation that takes others than most; `application/*+json` stands for all such. */
  readonly bodyTypes?: readonly string[];
  /** Whether it changes what has an ETag, and so heeds `If-Match`. */
  readonly heedsIfMatch?: true;
  /** Whether it makes something that must not be made twice, and so heeds `Idempotency-Key`. */
  readonly heedsIdempotencyKey?: true;
  /** Whether what it changes is nothing that a function remembers of the configuration (shared/versions.ts). */
  readonly leavesConfiguration?: true;
  /** Of the answer's body, what its ETag stands for. */
  readonly tagged?: (body: unknown) => unknown;
}

/** One operation of the API: the schemas that validate it also describe it. */
export interface Route extends Description<z.ZodType, z.ZodType, z.ZodType> {
  /**
   * Parses the request and handles it.
   *
   * @throws Refusal for what the caller did wrong.
   */
  readonly run: (request: RawRequest) => Promise<Answer>;
}

/** A request whose parts have passed their schemas. */
interface ParsedRequest<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly params: z.output<Params>;
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
  /** As it came, for an operation that hands a part of it on. */
  readonly bodyText: () => string;
  readonly caller: Caller;
  readonly keyed: KeyedRequest | undefined;
  /**
   * Holds `If-Match` and `If-None-Match` against what is there now, as its ETag stands for it.
   *
   * @throws PreconditionFailed
   */
  readonly mustMatch: (shown: unknown) => void;
  readonly audited: Audited;
}

/** What a handler answers with when it has made what was not there. */
export class Made {
  public readonly body: unknown;

  public constructor(body: unknown) {
    this.body = body;
  }
}

/** For an operation without parameters, query or body: what is given all the same is refused. */
export const noParams = z.strictObject({});
export const noQuery = z.strictObject({});
export const noBody = z.undefined({ error: 'must be left out: this operation takes none' });

/** Describes an operation together with the function that handles its parsed request and gives the answer's body. */
export function route<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(
  description: Description<Params, Query, Body> & {
    readonly handle: (request: ParsedRequest<Params, Query, Body>) => Promise<unknown>;
    readonly rules?: Rules<Body>;
  },
): Route {
  const { handle, rules, ...rest } = description;
  return {
    ...rest,
    run: async (raw) => {
      const { body, bodyText, caller, ifMatch, ifNoneMatch, keyed, audited = unaudited } = raw;
      const request = {
        mustMatch: (shown: unknown) => {
          mustMatch({ ifMatch, ifNoneMatch }, shown);
        },
        ...(await parseParts({ ...rest, rules }, raw)),
        bodyText: bodyText ?? (() => JSON.stringify(body)),
        caller,
        keyed,
        audited,
      };
      const answered = await handle(request).catch((fault: unknown) => {
        throw asOvertaken({ ifMatch, ifNoneMatch }, fault);
      });
      return answerOf(rest, { answered, params: raw.params });
    },
  };
}

/**
 * Rules that need nothing but the body and the catalogue of event types. A request whose form is wrong is held against them, too, as
 * far as its fields are sound, so that all is told at once; any other is judged by `handle`.
 */
type Rules<Body extends z.ZodType> = (sound: Sound<z.output<Body>>) => Promise<void> | void;

type Answering = Pick<Route, 'method' | 'path' | 'answer' | 'tagged'>;

function answerOf(
  { method, path, answer, tagged }: Answering,
  { answered, params }: { readonly answered: unknown; readonly params: unknown },
): Answer {
  const { status, cacheSeconds, contentType, headers, location } = answer;
  const common = { status, cacheSeconds, contentType, headers };
  if (answered instanceof TextPage) {
    const { text, nextCursor } = answered;
    return { ...common, body: text, nextCursor, etag: etagOf([text, nextCursor]) };
  }
  const isNew = answered instanceof Made;
  const body = isNew ? answered.body : answered;
  const place = isNew ? path : location;
  return {
    ...common,
    body,
    ...(isNew ? { status: 201 } : {}),
    etag: method === 'GET' ? tagOf(body, tagged) : tagged && etagOf(tagged(body)),
    location: place && filled(place, { ...fields.parse(body), ...fields.parse(params) }),
  };
}

const fields = z.looseObject({}).catch({});

/** Of answers that are made once, such as the description, which are long. */
const knownTags = new WeakMap<object, string>();

function tagOf(body: unknown, tagged: Route['tagged']): string {
  const known = typeof body === 'object' && body !== null ? knownTags.get(body) : undefined;
  if (known !== undefined) return known;
  const tag = etagOfAnswer(body, tagged === undefined ? body : tagged(body));
  if (typeof body === 'object' && body !== null) knownTags.set(body, tag);
  return tag;
}

/** A path whose names in braces have given way to what they stand for. */
function filled(template: string, values: Readonly<Record<string, unknown>>): string {
  return template.replace(/\{(\w+)\}/g, (_braces, name: string) => encodeURIComponent(String(values[name])));
}

const unaudited: Audited = (_before, work) => work();

interface Form<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly rules: Rules<B> | undefined;
}

/**
 * Parses all parts of a request, so that everything that is wrong with it is told at once.
 *
 * @throws InvalidRequest
 */
async function parseParts<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  form: Form<P, Q, B>,
  { refusals = [], ...given }: RawRequest,
) {
  const params = parsePart(form.params, given.params);
  const query = parsePart(form.query, given.query);
  const body = parsePart(form.body, given.body);
  const faults = [params, query, body].flatMap((part) => (part.ok ? [] : part.faults));
  if (refusals.length + faults.length > 0) {
    const sound = soundOf(form.body, given.body);
    await allOf(
      () => {
        throwAll(refusals);
      },
      () => {
        if (faults.length > 0) throw refusalOf(faults);
      },
      () => (sound === undefined ? undefined : form.rules?.(sound)),
    );
  }
  return { params: valueOf(params), query: valueOf(query), body: valueOf(body) };
}

function valueOf<S extends z.ZodType>(part: Parsed<S>): z.output<S> {
  if (part.ok) return part.value;
  throw refusalOf(part.faults);
}
