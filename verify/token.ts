import type { Algorithm } from './jwk.ts';
import { isObject } from './request.ts';
import { VerificationError } from './verification-error.ts';

/** A token of which only the form is known: nothing in it is to be trusted before its signature is verified. */
export interface Token {
  readonly algorithm: Algorithm;
  readonly kid: string;
  /** What was signed: header and claims as they stand in the token. */
  readonly signed: string;
  readonly signature: Uint8Array;
  readonly readClaims: () => Claims;
}

export interface Claims {
  readonly iss: string;
  readonly aud: string;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  readonly webhook_id: string;
  readonly body_sha256: string;
}

/** Ours take about 430 characters, 700 with long names; a larger one would only cost time. */
const tokenLengthMax = 8192;

/**
 * Reads the compact form of a JWS (RFC 7515, section 7.1).
 *
 * @throws VerificationError `malformed`, `algorithm_not_allowed`, `wrong_type`.
 */
export function readToken(text: string): Token {
  const parts = text.length > tokenLengthMax ? [] : text.split('.');
  const [header = '', claims = '', signature = ''] = parts;
  if (parts.length !== 3) throw new VerificationError('malformed');
  const { alg, typ, kid, crit } = parsePart(header);
  if (alg !== 'ES256' && alg !== 'RS256') throw new VerificationError('algorithm_not_allowed');
  if (typ !== 'webhook+jwt') throw new VerificationError('wrong_type');
  // RFC 7515, section 4.1.11: what must be understood and is not known makes the token invalid.
  if (typeof kid !== 'string' || kid === '' || crit !== undefined) throw new VerificationError('malformed');
  return {
    algorithm: alg,
    kid,
    signed: `${header}.${claims}`,
    signature: decode(signature),
    readClaims: () => readClaims(parsePart(claims)),
  };
}

function readClaims({ iss, aud, jti, iat, exp, webhook_id, body_sha256 }: Record<string, unknown>): Claims {
  // RFC 7519 allows a list of audiences; ours name the one endpoint.
  if (typeof aud !== 'string') throw new VerificationError('wrong_audience');
  const isWhole =
    typeof iss === 'string' &&
    typeof jti === 'string' &&
    isSeconds(iat) &&
    isSeconds(exp) &&
    typeof webhook_id === 'string' &&
    typeof body_sha256 === 'string';
  if (!isWhole) throw new VerificationError('malformed');
  return { iss, aud, jti, iat, exp, webhook_id, body_sha256 };
}

function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function parsePart(part: string): Record<string, unknown> {
  const value = parseJson(decode(part));
  if (!isObject(value)) throw new VerificationError('malformed');
  return value;
}

/** The parser's own message would quote the token, so it is not passed on. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new VerificationError('malformed');
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Strict base64url: Buffer skips what is not, and several spellings would decode to the same bytes. */
function decode(part: string): Uint8Array {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) throw new VerificationError('malformed');
  return bytes;
}
