import { InvalidRequest, TooLarge } from '../shared/errors.ts';
import { jsonDepth, jsonDepthMax, parseJson } from '../shared/json.ts';

/** The body of a request as the HTTP API hands it on. */
interface RequestBody {
  readonly body?: string | undefined;
  readonly isBase64Encoded: boolean;
}

/** Room for the largest event and its JSON escapes; the gateway's own limit is 10 MB. */
const bodyBytesMax = 1_048_576;

/** Whether there is a body, of which nothing else is looked at. */
export function hasBody<Given extends Pick<RequestBody, 'body'>>(
  request: Given,
): request is Given & { readonly body: string } {
  return request.body !== undefined && request.body !== '';
}

/**
 * The parsed body; `undefined` when there is none.
 *
 * @param bytesMax of an operation that takes more than most
 * @throws TooLarge, InvalidRequest
 */
export function bodyOf(request: RequestBody, bytesMax = bodyBytesMax): unknown {
  if (!hasBody(request)) return undefined;
  const { body, isBase64Encoded } = request;
  // Base64 is longer than what it stands for: what is too long by its length alone is not decoded first.
  if (body.length > (isBase64Encoded ? base64LengthOf(bytesMax) : bytesMax)) throw tooLarge(bytesMax);
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > bytesMax) throw tooLarge(bytesMax);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidRequest('invalid_json', 'The body is not JSON in UTF-8.');
  }
  if (jsonDepth(text) > jsonDepthMax) {
    throw new InvalidRequest('invalid_json', `The body is nested deeper than ${jsonDepthMax} levels.`);
  }
  try {
    return parseJson(text);
  } catch {
    throw new InvalidRequest('invalid_json', 'The body is not JSON in UTF-8.');
  }
}

/** The text of a body that `bodyOf` has taken. */
export function bodyTextOf({ body = '', isBase64Encoded }: RequestBody): string {
  return new TextDecoder().decode(Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'));
}

/** Letters that bytes take in base64, four for three of them, and line ends, which some write. */
function base64LengthOf(bytes: number): number {
  return Math.ceil(bytes / 3) * 4 * 1.1;
}

function tooLarge(bytesMax: number): TooLarge {
  return new TooLarge('payload_too_large', `A request may have ${String(bytesMax)} bytes.`);
}
