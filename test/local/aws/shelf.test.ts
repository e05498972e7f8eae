import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, test } from 'vitest';

import { folderShelf, memoryShelf, type Shelf } from '../../../local/aws/shelf.ts';

const folders: string[] = [];

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shelf-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

describe.each<[string, () => Promise<Shelf>]>([
  ['in memory', () => Promise.resolve(memoryShelf())],
  ['in a folder', async () => folderShelf(await aFolder())],
])('a shelf %s', (_name, open) => {
  test('gives back what was put, by prefix and in the order of keys', async () => {
    const shelf = await open();
    await Promise.all([shelf.put('b/2', { n: 2 }), shelf.put('b/1', { n: 1 }), shelf.put('a/1', { n: 0 })]);
    expect(await shelf.entries('b/')).toEqual([
      ['b/1', { n: 1 }],
      ['b/2', { n: 2 }],
    ]);
    await shelf.close();
  });

  test('keeps the last of several changes of one key, however fast they come', async () => {
    const shelf = await open();
    const changes: Promise<void>[] = [];
    for (let n = 0; n < 100; n++)
      changes.push(shelf.put('gone', n), shelf.put('kept', n), shelf.remove('gone'));
    await Promise.all(changes);
    expect(await shelf.entries('')).toEqual([['kept', 99]]);
    await shelf.close();
  });
});

test('what a folder has acknowledged is there after the process was killed', async () => {
  const folder = await aFolder();
  const script = `
    const { folderShelf } = await import(${JSON.stringify(new URL('../../../local/aws/shelf.ts', import.meta.url).href)});
    const shelf = await folderShelf(${JSON.stringify(folder)});
    await shelf.put('a', 1);
    await shelf.put('b', 2);
    await shelf.remove('a');
    console.log('acknowledged');
    setInterval(() => {}, 1000);
  `;
  const node = join(process.cwd(), 'node_modules/.bin/node');
  const child = spawn(node, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const shelf = await folderShelf(folder);
  expect(await shelf.entries('')).toEqual([['b', 2]]);
  await shelf.close();
});
