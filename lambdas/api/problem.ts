import { z } from 'zod';
import {
  InsufficientScope,
  MethodNotAllowed,
  TooMany,
  Unauthorized,
  UnsupportedType,
} from '../shared/errors.ts';
import type { Fault, Refusal } from '../shared/errors.ts';

/** What the API answers with: a subset of what HTTP APIs take from a function. */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One of the things that are wrong. */
const fault = z
  .strictObject({ field: z.string().exactOptional(), code: z.string(), detail: z.string() })
  .meta({ id: 'Fault' });

/** RFC 9457. */
export const problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    /** Stable: docs/codes.md has them all. */
    code: z.string(),
    /** A sentence that helps. */
    detail: z.string(),
    /** Path of the field at fault. */
    field: z.string().exactOptional(),
    /** All that is wrong with the request, `detail` and `field` being the first of it. */
    errors: z.array(fault).exactOptional(),
    requestId: z.string(),
  })
  .meta({ id: 'Problem', description: 'What every refusal is (RFC 9457).' });

const titles = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
} as const;

/** A refusal as RFC 9457 writes it, with a stable `code`. */
export function problemOf(refusal: Refusal, requestId: string): HttpAnswer {
  const { status, code, message, field, faults } = refusal;
  const errors = faults.length === 0 ? undefined : faults;
  const problem = answer(status, { code, detail: message, field, errors, requestId });
  return { ...problem, headers: { ...problem.headers, ...headersOf(refusal) } };
}

function headersOf(refusal: Refusal): Record<string, string> {
  if (refusal instanceof TooMany) return { 'retry-after': String(refusal.retryAfterSeconds) };
  // RFC 9110, section 15.5.6.
  if (refusal instanceof MethodNotAllowed) return { allow: refusal.allowed.join(', ') };
  // RFC 6750, section 3: without a token nothing is said but how to ask.
  if (refusal instanceof Unauthorized) return { 'www-authenticate': 'Bearer' };
  if (refusal instanceof InsufficientScope) {
    return { 'www-authenticate': `Bearer error="insufficient_scope", scope="${refusal.scope}"` };
  }
  if (refusal instanceof UnsupportedType) return refusal.accepts;
  return {};
}

/** Our own fault: the caller learns nothing of it but the id to ask about. */
export function faultAnswer(requestId: string): HttpAnswer {
  const detail = 'Something of ours failed; nothing is known to be wrong with the request. Try again.';
  return answer(500, { code: 'internal_error', detail, field: undefined, requestId });
}

interface Said {
  readonly code: string;
  readonly detail: string;
  readonly field: string | undefined;
  readonly errors?: readonly Fault[] | undefined;
  readonly requestId: string;
}

function answer(status: keyof typeof titles, said: Said): HttpAnswer {
  return {
    statusCode: status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    body: JSON.stringify({
      type: `urn:tidings:problem:${said.code}`,
      title: titles[status],
      status,
      ...said,
    }),
  };
}
