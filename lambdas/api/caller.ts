import { z } from 'zod';
import type { Caller } from '../shared/route.ts';

/** Claims as the JWT authorizer hands them on: text, and lists sometimes as `[a b]` in one text (aws.md, section 8). */
const claims = z.record(z.string(), z.unknown());

/** Reads who calls from the claims of a token that the gateway has verified. */
export function callerOf(given: unknown, organizationClaim: string): Caller {
  const parsed = claims.catch({}).parse(given);
  return {
    subject: textOf(parsed['sub']) ?? '',
    organizationId: textOf(parsed[organizationClaim]),
    scopes: new Set(wordsOf(parsed['scope'] ?? parsed['scp'])),
  };
}

function textOf(claim: unknown): string | undefined {
  return typeof claim === 'string' && claim !== '' ? claim : undefined;
}

function wordsOf(claim: unknown): string[] {
  const text = Array.isArray(claim) ? claim.map(String).join(' ') : (textOf(claim) ?? '');
  return text.replace(/^\[|\]$/g, '').split(/[\s,]+/);
}
