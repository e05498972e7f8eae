import { InvalidRequest, TooLarge } from '../shared/errors.ts';
import { jsonDepth, jsonDepthMax, parseJson } from '../shared/json.ts';

/** The body of a request as the HTTP API hands it on. */
interface RequestBody {
  readonly body?: string | undefined;
  readonly isBase64Encoded: boolean;
}

/** Room for the largest event and its JSON escapes; the gateway's own limit is 10 MB. */
const bodyBytesMax = 1_048_576;

/**
 * The parsed body; `undefined` when there is none.
 *
 * @param bytesMax of an operation that takes more than most
 * @throws TooLarge, InvalidRequest
 */
export function bodyOf({ body, isBase64Encoded }: RequestBody, bytesMax = bodyBytesMax): unknown {
  if (body === undefined || body === '') return undefined;
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > bytesMax) {
    throw new TooLarge('payload_too_large', `A request may have ${String(bytesMax)} bytes.`);
  }
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
