import type { DeliverPorts } from '../../../lambdas/delivery/deliver.ts';

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

export interface Call {
  readonly port: PortName;
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

interface Dooms {
  readonly life: { isOver: boolean };
  readonly calls: Call[];
  readonly fateOf: FateOf;
}

/** The ports of one invocation, which may die at any of them; the dead can call nothing more. */
export function mortal(ports: DeliverPorts, { life, calls, fateOf }: Dooms): DeliverPorts {
  const meet = (fate: Fate) => {
    life.isOver ||= fate.startsWith('crash');
    throw life.isOver ? new Crash() : new Fault();
  };
  const doomed =
    <Args extends unknown[], Value>(port: PortName, call: (...args: Args) => Promise<Value>) =>
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
