// AWS Lambda behind API Gateway (HTTP or REST) or a function URL.
import { handle, verify } from './settings.mjs';

// --- the important part: the body may come in base64, and REST APIs keep the case of header names.
export async function handler(request) {
  let event;
  try {
    const body = Buffer.from(request.body ?? '', request.isBase64Encoded ? 'base64' : 'utf8');
    const headers = Object.fromEntries(
      Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    );
    event = await verify(body, headers);
  } catch {
    return { statusCode: 401, body: '' };
  }
  // Unlike a server, a function stops when it has answered: long work goes to a queue.
  await handle(event);
  return { statusCode: 204, body: '' };
}
// ---
