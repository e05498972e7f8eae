// Hono 4 on Node; on other runtimes only the last lines differ.
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createServer } from 'node:https';
import { bodyBytesMax, handle, host, port, readTls, verify } from './settings.mjs';

const app = new Hono();

// --- the important part: the bytes, not c.req.json(); a Buffer, since the library refuses a bare Uint8Array.
app.post('/webhooks', bodyLimit({ maxSize: bodyBytesMax }), async (c) => {
  let event;
  try {
    const body = Buffer.from(await c.req.arrayBuffer());
    event = await verify(body, c.req.header());
  } catch {
    return c.body(null, 401);
  }
  await handle(event);
  return c.body(null, 204);
});
// ---

serve({ fetch: app.fetch, port, hostname: host, createServer, serverOptions: readTls() });
