import { parseArgs } from 'node:util';

/** What `npm run sign-in` was asked for. */
export interface Flags {
  /** The stack's output SignInUrl; without it, the page of the local runtime. */
  readonly page?: string;
  readonly opensBrowser: boolean;
}

export const usage = `Usage: npm run -s sign-in -- [SIGN_IN_URL] [--no-browser]

  SIGN_IN_URL    the stack's output SignInUrl; without it, the stack that npm start runs in this folder
  --no-browser   only print the address that has to be opened, on this machine

Prints an access token for the API, good for an hour, and nothing else on standard output.
Ends with 0, with 1 when the sign-in did not succeed, with 2 when the command is wrong.`;

/** What was asked for cannot be done; its message is for the person who typed it. */
export class WrongFlags extends Error {}

/**
 * @throws WrongFlags naming what is wrong.
 */
export function parseFlags(args: readonly string[]): Flags {
  const { values, positionals } = parse(args);
  const [page, ...others] = positionals;
  if (others.length > 0) throw new WrongFlags('One SignInUrl is enough: put it in quotes, it holds an &');
  return { opensBrowser: values['no-browser'] !== true, ...(page === undefined ? {} : { page }) };
}

function parse(args: readonly string[]) {
  try {
    const options = { 'no-browser': { type: 'boolean' } } as const;
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (cause) {
    throw new WrongFlags(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
