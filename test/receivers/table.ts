import { ownColumns } from './forgeries.ts';
import type { Scheme } from './tidings.ts';

export const deliveredColumns = ['1 byte', '100 KB', 'multi-byte'] as const;
export const columns = [...deliveredColumns, ...ownColumns] as const;
export type Column = (typeof columns)[number];

/** What became of a sample with a scheme. */
export interface Row {
  readonly title: string;
  readonly scheme: Scheme;
  readonly outcome:
    | {
        readonly kind: 'ran';
        readonly failures: ReadonlyMap<Column, string>;
        readonly seen: ReadonlySet<Column>;
      }
    | { readonly kind: 'broken'; readonly reason: string }
    | { readonly kind: 'not run'; readonly reason: string };
}

/** The rows as Markdown, to be read in a terminal and pasted into an issue. */
export function tableOf(rows: readonly Row[]): string {
  const lines = [['sample', 'scheme', ...columns], ...rows.map(cellsOf)];
  const widths = columnWidths(lines);
  const [head = [], ...body] = lines.map((cells) =>
    cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)),
  );
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function cellsOf(row: Row): string[] {
  return [row.title, row.scheme, ...columns.map((column) => cellOf(row, column))];
}

function cellOf({ outcome }: Row, column: Column): string {
  switch (outcome.kind) {
    case 'not run':
      return 'not run';
    case 'broken':
      return 'FAILED';
    case 'ran':
      if (outcome.failures.has(column)) return 'FAILED';
      return outcome.seen.has(column) ? 'ok' : '–';
  }
}

function columnWidths(lines: readonly (readonly string[])[]): number[] {
  return (lines[0] ?? []).map((_, index) => Math.max(...lines.map((cells) => cells[index]?.length ?? 0)));
}

/** What the cells do not say, a line each. */
export function explanations(rows: readonly Row[]): string[] {
  return rows.flatMap(({ title, scheme, outcome }) => {
    const name = `${title}, ${scheme}`;
    if (outcome.kind === 'not run') return [`${name}: not run: ${outcome.reason}`];
    if (outcome.kind === 'broken') return [`${name}: FAILED: ${outcome.reason}`];
    return [...outcome.failures].map(([column, what]) => `${name}: ${column}: FAILED: ${what}`);
  });
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly notRun: number;
}

/** Rows by their end: one that was not run has not passed, and one in which nothing was seen has failed. */
export function tallyOf(rows: readonly Row[]): Tally {
  const notRun = rows.filter(({ outcome }) => outcome.kind === 'not run').length;
  const passed = rows.filter(
    ({ outcome }) => outcome.kind === 'ran' && outcome.failures.size === 0 && outcome.seen.size > 0,
  ).length;
  return { passed, failed: rows.length - passed - notRun, notRun };
}

/** 0 only if something passed and nothing failed; with `requireAll`, if everything passed. */
export function exitCodeOf({ passed, failed, notRun }: Tally, requireAll: boolean): number {
  if (failed > 0 || passed + notRun === 0) return 1;
  return requireAll && notRun > 0 ? 1 : 0;
}
