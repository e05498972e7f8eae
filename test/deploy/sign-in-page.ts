import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const command = join(import.meta.dirname, '..', '..', 'bin', 'sign-in.ts');

/**
 * `npm run sign-in`, with somebody who fills in the page.
 *
 * @param page the output SignInUrl, where the emulator answers for it
 * @returns the access token that the command prints
 */
export async function signInByPage(
  page: string,
  user: { readonly username: string; readonly password: string },
): Promise<string> {
  const child = spawn(process.execPath, [command, '--no-browser', page]);
  let token = '';
  let said = '';
  const ended = once(child, 'close');
  child.stdout.on('data', (part: Buffer) => (token += part.toString()));
  const asked = new Promise<string>((resolve) => {
    child.stderr.on('data', (part: Buffer) => {
      said += part.toString();
      const [address] = /http:\/\/\S+\/oauth2\/authorize\S+/.exec(said) ?? [];
      if (address !== undefined) resolve(address);
    });
  });
  const address = await Promise.race([asked, ended.then(() => '')]);
  if (address !== '') await fillIn(address, user);
  await ended;
  if (child.exitCode !== 0) throw new Error(`npm run sign-in: ${said}`);
  return token.trim();
}

async function fillIn(address: string, user: Readonly<Record<string, string>>): Promise<void> {
  const form = await (await fetch(address)).text();
  const hidden = [...form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)];
  const fields = hidden.map(([, name = '', value = '']): [string, string] => [
    name,
    value.replaceAll('&amp;', '&'),
  ]);
  const answer = await fetch(new URL('/login', address), {
    method: 'POST',
    body: new URLSearchParams([...fields, ...Object.entries(user)]),
    redirect: 'manual',
  });
  const back = answer.headers.get('location');
  if (back === null) throw new Error(`the sign-in page answered ${answer.status}`);
  await fetch(back);
}
