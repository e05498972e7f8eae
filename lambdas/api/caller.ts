import { z } from 'zod';
import type { Caller } from '../shared/route.ts';

/** Claims as API Gateway's JWT authorizer hands them on: each is a text, and a list is often one text, `[a b]`. */
const claims = z.record(z.string(), z.unknown());

/** Under which names a deployment's tokens tell what must be known. */
export interface ClaimNames {
  readonly organization: string;
  readonly scope: string;
}

/** Reads who calls from the claims of a token that the gateway has verified. */
export function callerOf(given: unknown, names: ClaimNames): Caller {
  const parsed = claims.catch({}).parse(given);
  return {
    subject: textOf(parsed['sub']) ?? '',
    organizationId: textOf(parsed[names.organization]),
    scopes: new Set(wordsOf(parsed[names.scope])),
  };
}

function textOf(claim: unknown): string | undefined {
  return typeof claim === 'string' && claim !== '' ? claim : undefined;
}

/** Words are parted by spaces, and a comma is part of one (RFC 6749, section 3.3); only in a list it may stand between. */
function wordsOf(claim: unknown): string[] {
  if (Array.isArray(claim)) return claim.map(String);
  const text = textOf(claim) ?? '';
  const list = /^\[(.*)\]$/s.exec(text)?.[1];
  return list === undefined ? text.split(/\s+/) : list.split(/,?\s+/);
}
