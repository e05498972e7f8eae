import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What `npm start` was asked for. */
export interface Flags {
  readonly port: number;
  readonly withDemo: boolean;
  /** Absolute. */
  readonly dataFolder?: string;
  /** Files with authorities in PEM. */
  readonly caFiles: readonly string[];
}

export const usage = `Usage: npm start -- [--port N] [--no-demo] [--data DIR] [--ca FILE]...

  --port N     port of the API, 4010 by default; the local AWS takes the next one; 0 takes any free ones
  --no-demo    no sample events and no demo receiver
  --data DIR   keep everything in this folder, so that a restart goes on where it ended
  --ca FILE    trust this certificate authority (PEM) for receivers; may be repeated`;

/** The last port but one: the local AWS needs the one after it. */
const portMax = 65_534;

/** What was asked for cannot be done; its message is for the person who typed it. */
export class WrongFlags extends Error {}

/**
 * @throws WrongFlags naming the flag that is wrong.
 */
export function parseFlags(args: readonly string[]): Flags {
  const { port, data, ca, 'no-demo': noDemo } = parse(args);
  return {
    port: parsePort(port),
    withDemo: noDemo !== true,
    ...(data === undefined ? {} : { dataFolder: resolve(notEmpty('--data', data)) }),
    caFiles: (ca ?? []).map((file) => notEmpty('--ca', file)),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        port: { type: 'string' },
        'no-demo': { type: 'boolean' },
        data: { type: 'string' },
        ca: { type: 'string', multiple: true },
      },
    }).values;
  } catch (cause) {
    throw new WrongFlags(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function parsePort(text = '4010'): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  if (port > portMax) throw new WrongFlags(`--port must be a number from 0 to ${portMax}, not "${text}"`);
  return port;
}

function notEmpty(flag: string, value: string): string {
  if (value === '') throw new WrongFlags(`${flag} needs a value`);
  return value;
}
