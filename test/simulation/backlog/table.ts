import { actors, dollarsOf, lineNames, lines } from '../lanes/meter.ts';
import type { Actor, Bill, Line } from '../lanes/meter.ts';

/** What is told apart, and how it is headed. */
export type Columns = Readonly<Record<string, Bill>>;

/** Amounts and dollars, by who asked for what. */
export function tableOf(columns: Columns): string {
  const head = ['', ...Object.keys(columns).flatMap((title) => [title, '$'])];
  const rows = actors.flatMap((actor) => lineNames.map((line) => rowOf({ columns, actor, line })));
  const sums = Object.values(columns).flatMap((bill) => ['', dollarsOf(bill).toFixed(3)]);
  const all = [
    head,
    ...rows.filter((row) => row.slice(1).some((cell) => Number(cell) !== 0)),
    ['together', ...sums],
  ];
  return all
    .map((row) =>
      row.map((cell, at) => (at === 0 ? cell.padEnd(32) : cell.padStart(at % 2 === 0 ? 8 : 13))).join(''),
    )
    .join('\n');
}

interface Place {
  readonly columns: Columns;
  readonly actor: Actor;
  readonly line: Line;
}

function rowOf({ columns, actor, line }: Place): string[] {
  const cells = Object.values(columns).flatMap((bill) => {
    const amount = bill[actor][line];
    return [amount.toFixed(0), (amount * lines[line].price).toFixed(3)];
  });
  return [`${actor}: ${lines[line].unit}`, ...cells];
}
