import type { DeliverPorts } from '../../../lambdas/delivery/deliver.ts';
import type { DrainPorts } from '../../../lambdas/recovery/drain/drain.ts';

export type PortName =
  | 'readRecipient'
  | 'readRecipientLatest'
  | 'readKnown'
  | 'readHealth'
  | 'replaceHealth'
  | 'take'
  | 'prepare'
  | 'post'
  | 'record'
  | 'rewrite'
  | 'strikeOff'
  | 'announce'
  | 'startDrain'
  | 'bury'
  | 'send';

/**
 * What happens to one call of a port. `crash`: the function dies there and nothing after it happens. `fault`: the
 * port throws and the function lives. Each of them either before the port has done its work or after it. `twice`:
 * the answer is lost on its way, and the SDK makes the same call again.
 */
export const fates = ['crash before', 'crash after', 'fault before', 'fault after', 'twice'] as const;

export type Fate = (typeof fates)[number];

export interface Call<Name = PortName> {
  readonly port: Name;
  /** Counted over the whole scene, from 0. */
  readonly index: number;
}

export type FateOf = (call: Call) => Fate | undefined;

class Crash extends Error {
  override readonly name = 'Crash';
}

class Fault extends Error {
  override readonly name = 'ThrottlingException';
}

/** Whether a fault is one that a test has made. */
export function isDoom(fault: unknown): boolean {
  return fault instanceof Crash || fault instanceof Fault;
}

interface Dooms<Name> {
  readonly life: { isOver: boolean };
  readonly calls: Call<Name>[];
  readonly fateOf: (call: Call<Name>) => Fate | undefined;
}

/** Makes a call of a port one that may be befallen by its fate. */
function doom<Name>({ life, calls, fateOf }: Dooms<Name>) {
  const meet = (fate: Fate) => {
    life.isOver ||= fate.startsWith('crash');
    throw life.isOver ? new Crash() : new Fault();
  };
  return <Args extends unknown[], Value>(port: Name, call: (...args: Args) => Promise<Value>) =>
    async (...args: Args): Promise<Value> => {
      if (life.isOver) throw new Crash();
      const made = { port, index: calls.length };
      calls.push(made);
      const fate = fateOf(made);
      if (fate?.endsWith('before')) meet(fate);
      let value = await call(...args);
      if (fate === 'twice') value = await call(...args);
      if (fate?.endsWith('after')) meet(fate);
      return value;
    };
}

export type DrainPortName =
  | 'readLatest'
  | 'replace'
  | 'forget'
  | 'readRecipientLatest'
  | 'list'
  | 'count'
  | 'send'
  | 'startDrain'
  | 'announce';

export type DrainFateOf = (call: Call<DrainPortName>) => Fate | undefined;

/** The same of one step of a drain. */
export function mortalDrain(
  ports: DrainPorts,
  fateOf: DrainFateOf,
  calls: Call<DrainPortName>[] = [],
): DrainPorts {
  const doomed = doom<DrainPortName>({ life: { isOver: false }, calls, fateOf });
  const { health, waiting } = ports;
  return {
    ...ports,
    health: {
      readLatest: doomed('readLatest', health.readLatest),
      replace: doomed('replace', health.replace),
      forget: doomed('forget', health.forget),
    },
    readRecipientLatest: doomed('readRecipientLatest', ports.readRecipientLatest),
    waiting: { list: doomed('list', waiting.list), count: doomed('count', waiting.count) },
    send: doomed('send', ports.send),
    startDrain: doomed('startDrain', ports.startDrain),
    announce: doomed('announce', ports.announce),
  };
}

/** The ports of one invocation, which may die at any of them; the dead can call nothing more. */
export function mortal(ports: DeliverPorts, { life, calls, fateOf }: Dooms<PortName>): DeliverPorts {
  const doomed = doom<PortName>({ life, calls, fateOf });
  return {
    ...ports,
    readRecipient: doomed('readRecipient', ports.readRecipient),
    readRecipientLatest: doomed('readRecipientLatest', ports.readRecipientLatest),
    readKnown: doomed('readKnown', ports.readKnown),
    prepare: doomed('prepare', ports.prepare),
    post: doomed('post', ports.post),
    record: doomed('record', ports.record),
    rewrite: doomed('rewrite', ports.rewrite),
    strikeOff: doomed('strikeOff', ports.strikeOff),
    health: {
      read: doomed('readHealth', ports.health.read),
      readLatest: doomed('readHealth', ports.health.readLatest),
      replace: doomed('replaceHealth', ports.health.replace),
    },
    take: doomed('take', ports.take),
    announce: doomed('announce', ports.announce),
    startDrain: doomed('startDrain', ports.startDrain),
    bury: doomed('bury', ports.bury),
    send: doomed('send', ports.send),
  };
}
