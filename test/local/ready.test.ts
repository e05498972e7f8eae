import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withdraw } from '../../local/ready.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ready-'));
});
afterEach(() => rm(folder, { recursive: true }));

const isThere = () =>
  access(join(folder, 'local.json')).then(
    () => true,
    () => false,
  );

it.each([
  ['goes with the stack that it is of', 7, false],
  ['stays when another stack has been started since', 8, true],
])('the file with the addresses %s', async (_what, pid, expected) => {
  await writeFile(join(folder, 'local.json'), JSON.stringify({ pid, api: 'http://127.0.0.1:1' }));
  await withdraw({ pid: 7 }, folder);
  expect(await isThere()).toBe(expected);
});

it('that is gone already is no fault', async () => {
  await withdraw({ pid: 7 }, folder);
  expect(await isThere()).toBe(false);
});
