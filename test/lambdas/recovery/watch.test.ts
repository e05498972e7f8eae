import { describe, expect, it } from 'vitest';
import type { OperatorEntry } from '../../../lambdas/event/operator-event.ts';
import { watch } from '../../../lambdas/recovery/reconcile/watch.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aDead, aDelivered } from '../../fakes/a-delivery.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { memoryLog } from '../../fakes/log.ts';
import { hourMs, lateRow, someBooks } from './some-books.ts';
import type { Books } from './some-books.ts';

describe('every hour', () => {
  const watched = (books: Books, announce?: (entry: OperatorEntry) => Promise<void>) => {
    const journal = memoryLog();
    const entries: OperatorEntry[] = [];
    const keep = (entry: OperatorEntry) => {
      entries.push(entry);
      return Promise.resolve();
    };
    const ports = { ...books.ports, announce: announce ?? keep, log: journal.log };
    const said = () => entries.map(({ detail }) => JSON.parse(detail) as Record<string, unknown>);
    return { lines: journal.lines, entries, said, run: () => watch(ports) };
  };

  it('events of three hours ago until one hour ago are looked at', async () => {
    const books = someBooks();
    const nowMs = books.clock.now();
    for (const agoMs of [3 * hourMs + 1, 3 * hourMs, 2 * hourMs, hourMs, hourMs - 1]) {
      await books.keep(anEvent({ name: String(agoMs), timeMs: nowMs - agoMs }), { one: undefined });
    }
    const watcher = watched(books);
    await watcher.run();
    expect(watcher.lines.at(-1)).toMatchObject({
      message: 'reconciliation.done',
      fields: { organizations: 1, events: 3, missing: 3, isComplete: true },
    });
  });

  it('nobody is told of an organization without a gap, but the log says that it was looked at', async () => {
    const books = someBooks();
    await books.keep(anEvent({ timeMs: testStartMs + 3 * hourMs }), { one: aDelivered(), two: aDead() });
    const watcher = watched(books);
    await watcher.run();
    expect(watcher.entries).toEqual([]);
    expect(watcher.lines.map(({ message }) => message)).toEqual(['reconciliation.done']);
  });

  it('the operator is told of each organization with a gap: its counts and the first twenty', async () => {
    const books = someBooks();
    books.configuration.setOrganization(anOrganization({ id: 'org_2' }));
    books.configuration.setOrganization(anOrganization({ id: 'org_3' }));
    for (let index = 0; index < 25; index += 1) {
      const timeMs = testStartMs + 3 * hourMs + index;
      await books.keep(anEvent({ name: String(index), timeMs }), { one: undefined });
      await books.keep(anEvent({ name: String(index), timeMs, organizationId: 'org_2' }), {
        two: aDelivered(),
      });
    }
    await books.keep(anEvent({ organizationId: 'org_3' }), { three: lateRow(3 * hourMs) });
    const watcher = watched(books);
    await watcher.run();
    expect(watcher.entries.map(({ source, detailType }) => [source, detailType])).toEqual([
      ['tidings', 'reconciliation.gap'],
      ['tidings', 'reconciliation.gap'],
    ]);
    const [first, second] = watcher.said();
    expect(first).toMatchObject({ organizationId: 'org_1', counts: { missing: 25, overdue: 0 } });
    expect(first?.['findings']).toHaveLength(20);
    expect(second).toMatchObject({
      organizationId: 'org_3',
      since: isoTime(testStartMs + 2 * hourMs),
      until: isoTime(testStartMs + 4 * hourMs),
      counts: { missing: 0, overdue: 1 },
      findings: [{ endpointId: endpointIdOf('three'), kind: 'overdue' }],
    });
    expect(watcher.lines.map(({ message }) => message)).toEqual([
      'reconciliation.gap',
      'reconciliation.gap',
      'reconciliation.done',
    ]);
  });

  it('a bus that takes nothing fails the run, which is made again', async () => {
    const books = someBooks();
    await books.keep(anEvent({ timeMs: testStartMs + 3 * hourMs }), { one: undefined });
    const watcher = watched(books, () => Promise.reject(new Error('no bus')));
    await expect(watcher.run()).rejects.toThrow('no bus');
    expect(watcher.lines.map(({ message }) => message)).toEqual(['reconciliation.gap']);
  });

  it('a run that has no time left says that it is not complete', async () => {
    const books = someBooks({ hasTime: () => false });
    const watcher = watched(books);
    await watcher.run();
    expect(watcher.lines).toMatchObject([
      { message: 'reconciliation.done', fields: { organizations: 0, isComplete: false } },
    ]);
  });
});
