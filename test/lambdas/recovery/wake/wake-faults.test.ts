import { describe, expect, test } from 'vitest';
import { wake } from '../../../../lambdas/recovery/wake/wake.ts';
import type { WakePorts } from '../../../../lambdas/recovery/wake/wake.ts';
import { endpointIdOf, eventIdOf } from '../../../fakes/ids.ts';
import { fates } from '../drain/mortal.ts';
import type { Fate } from '../drain/mortal.ts';
import { aWake, eventOf, minuteMs } from './a-wake.ts';

type PortName = 'read' | 'replace' | 'list' | 'send' | 'startDrain';

/** The ports of one run, of whose calls one meets a fate; the dead can call nothing more. */
function mortal(ports: WakePorts, calls: PortName[], fateOf: (index: number) => Fate | undefined): WakePorts {
  let isOver = false;
  const doomed =
    <Args extends unknown[], Value>(port: PortName, call: (...args: Args) => Promise<Value>) =>
    async (...args: Args): Promise<Value> => {
      if (isOver) throw new Error('it is dead');
      const fate = fateOf(calls.length);
      calls.push(port);
      isOver ||= fate === 'crash before';
      if (fate?.endsWith('before')) throw new Error(fate);
      let value = await call(...args);
      if (fate === 'twice') value = await call(...args);
      isOver ||= fate === 'crash after';
      if (fate?.endsWith('after')) throw new Error(fate);
      return value;
    };
  const { rounds, waiting } = ports;
  return {
    ...ports,
    rounds: { read: doomed('read', rounds.read), replace: doomed('replace', rounds.replace) },
    waiting: { list: doomed('list', waiting.list) },
    send: doomed('send', ports.send),
    startDrain: doomed('startDrain', ports.startDrain),
  };
}

const rows = ['a', 'b', 'c', 'd'];

/** Four deliveries and an endpoint that are due in the next minutes, with one fate at one call. */
async function play(doom?: { fate: Fate; at: number }) {
  const scene = aWake();
  const calls: PortName[] = [];
  for (const [index, name] of rows.entries()) await scene.wait(name, (index + 1) * 45_000);
  await scene.raise('one', 2 * minuteMs);
  for (let run = 0; run < 8; run += 1) {
    const ports = mortal(scene.ports, calls, (index) => (index === doom?.at ? doom.fate : undefined));
    // A run that fails is not made again: the next one comes a minute later.
    await wake(ports).catch(() => undefined);
    scene.clock.pass(minuteMs);
  }
  return { scene, calls };
}

describe('whatever happens to whoever comes every minute', () => {
  test('nothing, and each is sent on once', async () => {
    const { scene, calls } = await play();
    expect(scene.sent.map(eventOf).toSorted()).toEqual(rows.map((name) => eventIdOf(name)).toSorted());
    expect(scene.started).toHaveLength(1);
    expect(new Set(calls)).toEqual(new Set(['read', 'replace', 'list', 'send', 'startDrain']));
  });

  test.each(fates)('one %s at any call sends twice rather than never', async (fate) => {
    const { calls } = await play();
    for (const [at, port] of calls.entries()) {
      const { scene } = await play({ fate, at });
      const sent = new Set(scene.sent.map(eventOf));
      const started = new Set(scene.started.map(({ owner }) => owner.id));
      const where = `by one ${fate} at call ${at} (${port})`;
      expect(sent, where).toEqual(new Set(rows.map((name) => eventIdOf(name))));
      expect(started, where).toEqual(new Set([endpointIdOf('one')]));
      // Those of a partition at most, or of a run that has died.
      expect(scene.sent.length, where).toBeLessThanOrEqual(rows.length + 2);
    }
  });
});
