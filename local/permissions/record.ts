import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Asked, Judgement } from './evaluator/judge.ts';
import type { Principal, Statement } from './evaluator/policy.ts';

/** A judgement as it is kept: the context only as far as any condition of the stack asks for it. */
export interface Recorded {
  readonly principal: Principal;
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
  readonly isAllowed: boolean;
  /** How often. */
  times: number;
}

/** What one runtime wrote down. */
export interface RecordFile {
  /** The test file it ran for, if any. */
  readonly by: string;
  /** Whether refusals were looked for. */
  readonly isStrict: boolean;
  readonly judged: number;
  readonly statements: readonly { arn: string; policy: string; written: Statement['written'] }[];
  readonly judgements: readonly Recorded[];
}

/** Keeps each different judgement of a runtime, and writes them into a folder at its end. */
export class Recorder {
  readonly #folder: string;
  readonly #isStrict: boolean;
  readonly #statements: { arn: string; policy: string; written: Statement['written'] }[] = [];
  readonly #keys = new Set<string>();
  readonly #judgements = new Map<string, Recorded>();
  #judged = 0;

  public constructor(folder: string, isStrict: boolean) {
    this.#folder = folder;
    this.#isStrict = isStrict;
  }

  public addStatements(arn: string, statements: readonly Statement[]): void {
    for (const { policy, written, keys } of statements) {
      this.#statements.push({ arn, policy, written });
      for (const key of keys) this.#keys.add(key);
    }
  }

  public addJudgement({ principal, action, resource, context }: Asked, { isAllowed }: Judgement): void {
    this.#judged += 1;
    const asked = [...this.#keys].flatMap((key) => {
      const value = context.get(key);
      return value === undefined ? [] : [[key, value] as const];
    });
    const judgement = { principal, action, resource, context: Object.fromEntries(asked), isAllowed };
    const key = JSON.stringify(judgement);
    const known = this.#judgements.get(key);
    if (known === undefined) this.#judgements.set(key, { ...judgement, times: 1 });
    else known.times += 1;
  }

  public write(): void {
    const file: RecordFile = {
      by: process.env['TIDINGS_TEST_FILE'] ?? '',
      isStrict: this.#isStrict,
      judged: this.#judged,
      statements: this.#statements,
      judgements: [...this.#judgements.values()],
    };
    mkdirSync(this.#folder, { recursive: true });
    writeFileSync(join(this.#folder, `${randomUUID()}.json`), JSON.stringify(file));
  }
}
