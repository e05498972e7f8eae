// Fastify 5.
import Fastify from 'fastify';
import { bodyBytesMax, handle, host, port, readTls, verify } from './settings.mjs';

const app = Fastify({ https: readTls(), bodyLimit: bodyBytesMax });

// --- the important part: raw bytes. Register it in a plugin of its own if other routes want parsed JSON.
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

app.post('/webhooks', async (request, reply) => {
  let event;
  try {
    // Without a body there is no buffer.
    event = await verify(request.body ?? Buffer.alloc(0), request.headers);
  } catch {
    return reply.code(401).send();
  }
  await handle(event);
  return reply.code(204).send();
});
// ---

await app.listen({ port, host });
