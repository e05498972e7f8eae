import { expect, it } from 'vitest';
import { aMessage } from '../../fakes/a-message.ts';
import { aScene } from './a-scene.ts';
import type { Scene } from './a-scene.ts';

const said = ({ journal }: Scene) =>
  journal.lines.filter(({ message }) => message === 'batch.received').map(({ fields }) => fields);

it('a batch says by how much the first of it is late', async () => {
  const scene = await aScene();
  await scene.start();
  scene.clock.pass(7_000);
  await scene.invoke(scene.queue.receive(10));
  expect(said(scene)).toEqual([{ messages: 1, lateMs: 7_000, clockBehindMs: 0 }]);
});

it('what waited on purpose is late only since it was due', async () => {
  const scene = await aScene();
  const notBefore = new Date(scene.clock.now() + 600_000).toISOString();
  await scene.sendMessage({ ...aMessage(), notBefore });
  scene.clock.pass(605_000);
  await scene.invoke(scene.queue.receive(10));
  expect(said(scene)[0]).toMatchObject({ lateMs: 5_000 });
});

it('what comes before it is due is not late', async () => {
  const scene = await aScene();
  await scene.sendMessage({ ...aMessage(), notBefore: new Date(scene.clock.now() + 600_000).toISOString() });
  await scene.invoke(scene.queue.receive(10));
  expect(said(scene)[0]).toMatchObject({ lateMs: 0 });
});

it('a message from the future tells that our clock is behind', async () => {
  const scene = await aScene();
  await scene.start();
  const [record] = scene.queue.receive(1);
  if (record === undefined) throw new Error('there is no message');
  const SentTimestamp = String(scene.clock.now() + 6_000);
  await scene.invoke([{ ...record, attributes: { ...record.attributes, SentTimestamp } }]);
  expect(said(scene)[0]).toMatchObject({ lateMs: 0, clockBehindMs: 6_000 });
});
