// Not for AWS: makes of each HTTPS request the event that a gateway would hand to lambda.mjs, to try it here.
// GATEWAY=http: an HTTP API. GATEWAY=rest: a REST API with binary media types, so headers in their own case and base64.
import { createServer } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { handler } from './lambda.mjs';
import { host, port, readTls } from './settings.mjs';

const isRest = process.env.GATEWAY === 'rest';

function eventOf({ headers, method, url }, body) {
  const isBase64Encoded = isRest;
  const text = body.toString(isBase64Encoded ? 'base64' : 'utf8');
  if (!isRest) {
    const requestContext = { http: { method, path: url } };
    return { version: '2.0', rawPath: url, headers, requestContext, body: text, isBase64Encoded };
  }
  const capitalized = Object.entries(headers).map(([name, value]) => [
    name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()),
    value,
  ]);
  return {
    httpMethod: method,
    path: url,
    headers: Object.fromEntries(capitalized),
    body: text,
    isBase64Encoded,
  };
}

const server = createServer(readTls(), async (request, response) => {
  try {
    const answer = await handler(eventOf(request, await buffer(request)));
    response.writeHead(answer.statusCode).end(answer.body);
  } catch {
    response.writeHead(502).end();
  }
});
server.listen(port, host);
