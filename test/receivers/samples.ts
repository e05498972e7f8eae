import { join } from 'node:path';
import type { Command } from './child.ts';
import { venvPython, workFolder } from './languages.ts';

/** A receiver of `docs/receivers/`, which `--only` names. */
export interface Sample {
  readonly name: string;
  readonly language: string;
  readonly title: string;
  readonly start: Command;
}

const node = (file: string, env: Readonly<Record<string, string>> = {}): Command => ({
  command: process.execPath,
  args: [file],
  cwd: workFolder('node'),
  env,
});

export const samples: readonly Sample[] = [
  { name: 'node-express', language: 'node', title: 'Node, Express', start: node('express.mjs') },
  { name: 'node-fastify', language: 'node', title: 'Node, Fastify', start: node('fastify.mjs') },
  { name: 'node-hono', language: 'node', title: 'Node, Hono', start: node('hono.mjs') },
  {
    name: 'node-lambda-http',
    language: 'node',
    title: 'Node, Lambda (HTTP API)',
    start: node('lambda-server.mjs', { GATEWAY: 'http' }),
  },
  {
    name: 'node-lambda-rest',
    language: 'node',
    title: 'Node, Lambda (REST API, base64)',
    start: node('lambda-server.mjs', { GATEWAY: 'rest' }),
  },
  {
    name: 'python',
    language: 'python',
    title: 'Python, Flask',
    start: { command: venvPython, args: ['app.py'], cwd: workFolder('python') },
  },
  {
    name: 'go',
    language: 'go',
    title: 'Go, net/http',
    start: { command: join(workFolder('go'), 'receiver'), args: [], cwd: workFolder('go') },
  },
  {
    name: 'java',
    language: 'java',
    title: 'Java, JDK HttpsServer',
    start: {
      command: 'java',
      args: ['-cp', 'target/classes:target/dependency/*', 'receiver.Receiver'],
      cwd: workFolder('java'),
    },
  },
];
