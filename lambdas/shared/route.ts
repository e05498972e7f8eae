import { z } from 'zod';
import { InvalidRequest } from './errors.ts';
import { etagOf, mustMatch } from './etag.ts';
import { TextPage } from './page.ts';

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

/** Parts of a request as they came, before any schema has seen them. */
export interface RawRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  /** The text that was parsed into `body`; without it, what `body` is written as. */
  readonly bodyText?: () => string;
  readonly caller: Caller;
  /** The header `If-Match`. */
  readonly ifMatch?: string | undefined;
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
  };
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
  /**
   * Holds `If-Match` against what is there now, as its ETag stands for it.
   *
   * @throws PreconditionFailed
   */
  readonly mustMatch: (shown: unknown) => void;
  readonly audited: Audited;
}

/** For an operation without parameters, query or body: what is given all the same is refused. */
export const noParams = z.strictObject({});
export const noQuery = z.strictObject({});
export const noBody = z.undefined({ error: 'this operation takes no body' });

/** Describes an operation together with the function that handles its parsed request and gives the answer's body. */
export function route<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(
  description: Description<Params, Query, Body> & {
    readonly handle: (request: ParsedRequest<Params, Query, Body>) => Promise<unknown>;
  },
): Route {
  const { handle, ...rest } = description;
  return {
    ...rest,
    run: async ({ params, query, body, bodyText, caller, ifMatch, audited = unaudited }) => {
      const request = {
        mustMatch: (shown: unknown) => {
          mustMatch(ifMatch, shown);
        },
        params: parsePart(rest.params, params),
        query: parsePart(rest.query, query),
        body: parsePart(rest.body, body),
        bodyText: bodyText ?? (() => JSON.stringify(body)),
        caller,
        audited,
      };
      const { status, cacheSeconds, contentType } = rest.answer;
      const answered = await handle(request);
      if (answered instanceof TextPage) {
        return { status, cacheSeconds, contentType, body: answered.text, nextCursor: answered.nextCursor };
      }
      const etag = rest.tagged && etagOf(rest.tagged(answered));
      return { status, cacheSeconds, contentType, etag, body: answered };
    },
  };
}

const unaudited: Audited = (_before, work) => work();

function parsePart<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw refusalOf(parsed.error);
}

/** The first thing that is wrong, with the path of its field; what was sent is never quoted. */
function refusalOf(error: z.ZodError): InvalidRequest {
  const [issue] = error.issues;
  const path = issue?.path.map(String) ?? [];
  if (issue?.code === 'unrecognized_keys') {
    const field = [...path, issue.keys[0] ?? ''].join('.');
    return new InvalidRequest(
      'unknown_field',
      `There is no field of this name: ${field.slice(0, 100)}.`,
      field,
    );
  }
  if (path.length === 0) {
    return new InvalidRequest(
      'invalid_request',
      `The request is not as described: ${issue?.message ?? 'invalid'}.`,
    );
  }
  const field = path.join('.');
  return new InvalidRequest('invalid_request', `${field}: ${issue?.message ?? 'invalid'}`, field);
}
