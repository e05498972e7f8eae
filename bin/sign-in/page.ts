import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { WrongFlags } from './flags.ts';

/** What is needed of the file in which `npm start` says where everything is (local/ready.ts). */
const running = z.object({ signInUrl: z.url() });

/**
 * The sign-in page of the local stack that runs in this folder.
 *
 * @throws WrongFlags when none does.
 */
export async function findPage(localFile: string): Promise<string> {
  try {
    return running.parse(JSON.parse(await readFile(localFile, 'utf8'))).signInUrl;
  } catch (cause) {
    throw new WrongFlags('Name the page by the stack’s output SignInUrl, or run npm start in this folder', {
      cause,
    });
  }
}
