// Express 5.
import express from 'express';
import { createServer } from 'node:https';
import { bodyBytesMax, handle, host, port, readTls, verify } from './settings.mjs';

const app = express();

// --- the important part: raw bytes for this route. An express.json() before it would leave nothing to verify.
const rawBody = express.raw({ type: () => true, limit: bodyBytesMax });

app.post('/webhooks', rawBody, async (request, response) => {
  let event;
  try {
    // Without a body there is no buffer.
    event = await verify(request.body ?? Buffer.alloc(0), request.headers);
  } catch {
    return response.sendStatus(401);
  }
  await handle(event);
  return response.sendStatus(204);
});
// ---

// Of errors the sender needs the status only; four parameters tell Express what this is.
app.use((error, _request, response, _next) => response.sendStatus(error.status ?? 500));

createServer(readTls(), app).listen(port, host);
