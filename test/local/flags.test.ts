import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseFlags } from '../../local/flags.ts';

it('runs the demo on port 4010, in memory, unless told otherwise', () => {
  expect(parseFlags([])).toEqual({ port: 4010, withDemo: true, caFiles: [] });
});

it('takes every flag', () => {
  const args = ['--port', '0', '--no-demo', '--data', '/d', '--ca', 'a.pem', '--ca=b.pem'];
  expect(parseFlags(args)).toEqual({
    port: 0,
    withDemo: false,
    dataFolder: '/d',
    caFiles: ['a.pem', 'b.pem'],
  });
});

it.each([
  [['--port', 'x'], '--port'],
  [['--port', '65535'], '--port'],
  [['--port=-1'], '--port'],
  [['--port'], '--port'],
  [['--data='], '--data'],
  [['--ca', ''], '--ca'],
  [['--unknown'], '--unknown'],
  [['more'], 'more'],
])('refuses %j by name', (args, name) => {
  expect(() => parseFlags(args)).toThrow(name);
});

it.each([
  ['an unknown flag', ['--nonsense'], '--nonsense'],
  ['a certificate that is not there', ['--ca', '/nowhere.pem'], '/nowhere.pem cannot be read'],
  ['a certificate that is none', ['--ca', import.meta.filename], 'holds no certificate'],
])('npm start given %s says so, shows its usage and ends with 2', async (_what, args, said) => {
  const start = join(import.meta.dirname, '../../local/start.ts');
  const ended = await new Promise<[unknown, string]>((resolve) => {
    execFile(process.execPath, [start, ...args], (error, _stdout, stderr) => {
      resolve([error?.code, stderr]);
    });
  });
  expect(ended).toEqual([2, expect.stringContaining(said)]);
  expect(ended[1]).toContain('Usage: npm start');
});
