import { prices } from '../../cost/prices.ts';
import type { ObservedRequest } from '../../fakes/table/units.ts';

/** Who asks for something. */
export const actors = ['route', 'deliver', 'recover', 'wake'] as const;

export type Actor = (typeof actors)[number];

/** What is paid for, apart from each other. */
export const lines = {
  write: { price: prices.writeUnit.usd, unit: 'write units, tables' },
  indexWrite: { price: prices.writeUnit.usd, unit: 'write units, indexes' },
  read: { price: prices.readUnit.usd, unit: 'read units' },
  queue: { price: prices.sqsRequest.usd + prices.fairRequest.usd, unit: 'SQS requests' },
  invocation: { price: prices.invocation.usd, unit: 'Lambda invocations' },
  gbSecond: { price: prices.gbSecond.usd, unit: 'Lambda GB-seconds' },
  logByte: { price: prices.logByte.usd, unit: 'bytes of logs' },
} as const;

export type Line = keyof typeof lines;

export const lineNames = [
  ...(['write', 'indexWrite', 'read', 'queue', 'invocation', 'gbSecond', 'logByte'] as const),
] satisfies readonly Line[];

/** How much of each somebody has used. */
export type Usage = Readonly<Record<Line, number>>;
export type Bill = Readonly<Record<Actor, Usage>>;

const nothing: Usage = { write: 0, indexWrite: 0, read: 0, queue: 0, invocation: 0, gbSecond: 0, logByte: 0 };

/** Counts every request of AWS in the units in which it is paid for. */
export class Meter {
  readonly #bill = {
    route: { ...nothing },
    deliver: { ...nothing },
    recover: { ...nothing },
    wake: { ...nothing },
  };

  /** What has been counted until now. */
  bill(): Bill {
    return structuredClone(this.#bill);
  }

  /** Told of each request of DynamoDB. */
  observer(actor: Actor) {
    return ({ readUnits, writeUnits, indexWriteUnits }: ObservedRequest): void => {
      const ofIndexes = Object.values(indexWriteUnits).reduce((sum, units) => sum + units, 0);
      const own = this.#bill[actor];
      own.read += readUnits;
      own.write += writeUnits - ofIndexes;
      own.indexWrite += ofIndexes;
    };
  }

  /** A request of SQS. @param bytes of the bodies in it */
  queueRequest(actor: Actor, bytes: number): void {
    this.#bill[actor].queue += Math.max(1, Math.ceil(bytes / 65_536));
  }

  /** A run of a function of 512 MB. */
  invocation(actor: Actor, durationMs: number): void {
    this.#bill[actor].invocation += 1;
    this.#bill[actor].gbSecond += (Math.ceil(durationMs) / 1_000) * 0.5;
  }

  /** A line, in the form in which the logger of the functions writes it. */
  logLine(actor: Actor, message: string, fields: object): void {
    const head = { level: 'INFO', message, timestamp, service: actor, sampling_rate: 0, requestId };
    this.#bill[actor].logByte += JSON.stringify({ ...head, ...fields }).length + 1;
  }
}

const timestamp = '2026-11-23T10:00:00.000Z';
const requestId = '00000000-0000-0000-0000-000000000000';

/** What was counted between two looks. */
export function billBetween(before: Bill, after: Bill): Bill {
  return billOf((actor) => usageOf((line) => after[actor][line] - before[actor][line]));
}

export function sumOf(one: Bill, other: Bill): Bill {
  return billOf((actor) => usageOf((line) => one[actor][line] + other[actor][line]));
}

export function timesOf(bill: Bill, factor: number): Bill {
  return billOf((actor) => usageOf((line) => bill[actor][line] * factor));
}

export function dollarsOf(bill: Bill): number {
  const all = actors.flatMap((actor) => lineNames.map((line) => bill[actor][line] * lines[line].price));
  return all.reduce((sum, one) => sum + one, 0);
}

function billOf(of: (actor: Actor) => Usage): Bill {
  return { route: of('route'), deliver: of('deliver'), recover: of('recover'), wake: of('wake') };
}

function usageOf(of: (line: Line) => number): Usage {
  return {
    ...{ write: of('write'), indexWrite: of('indexWrite'), read: of('read'), queue: of('queue') },
    ...{ invocation: of('invocation'), gbSecond: of('gbSecond'), logByte: of('logByte') },
  };
}
