import type { DrainPorts } from '../../../../lambdas/recovery/drain/drain.ts';

export type PortName =
  | 'readLatest'
  | 'replace'
  | 'forget'
  | 'readRecipientLatest'
  | 'list'
  | 'count'
  | 'send'
  | 'announce'
  | 'startDrain';

/** As of the delivery engine: test/lambdas/delivery/mortal.ts. */
export const fates = ['crash before', 'crash after', 'fault before', 'fault after', 'twice'] as const;

export type Fate = (typeof fates)[number];

export interface Call {
  readonly port: PortName;
  /** Counted over the whole scene, from 0. */
  readonly index: number;
}

export type FateOf = (call: Call) => Fate | undefined;

class Fault extends Error {
  override readonly name = 'Fault';
}

interface Dooms {
  readonly life: { isOver: boolean };
  readonly calls: Call[];
  readonly fateOf: FateOf;
}

/** The ports of one invocation, which may die at any of them; the dead can call nothing more. */
export function mortal(ports: DrainPorts, { life, calls, fateOf }: Dooms): DrainPorts {
  const meet = (fate: Fate) => {
    life.isOver ||= fate.startsWith('crash');
    throw new Fault(fate);
  };
  const doomed =
    <Args extends unknown[], Value>(port: PortName, call: (...args: Args) => Promise<Value>) =>
    async (...args: Args): Promise<Value> => {
      if (life.isOver) throw new Fault('it is dead');
      const made = { port, index: calls.length };
      calls.push(made);
      const fate = fateOf(made);
      if (fate?.endsWith('before')) meet(fate);
      let value = await call(...args);
      if (fate === 'twice') value = await call(...args);
      if (fate?.endsWith('after')) meet(fate);
      return value;
    };
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
    announce: doomed('announce', ports.announce),
    startDrain: doomed('startDrain', ports.startDrain),
  };
}
