import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../../local/permissions/book.ts';
import { statementsOf } from '../../local/permissions/evaluator/policy.ts';
import type { Statement } from '../../local/permissions/evaluator/policy.ts';
import type { Recorded, RecordFile } from '../../local/permissions/record.ts';

/** A statement of a policy, and whose it is: a role's, or a resource's. */
export interface Held {
  readonly key: string;
  readonly arn: string;
  readonly isOfRole: boolean;
  readonly statement: Statement;
}

export interface Records {
  readonly files: readonly RecordFile[];
  /** Each different judgement, with the test files that asked for it. */
  readonly judgements: readonly (Recorded & { readonly by: readonly string[] })[];
  /** The policies of each different template that was run. */
  readonly stacks: readonly (readonly Held[])[];
}

/** What runtimes wrote into a folder. */
export function readRecords(folder: string): Records {
  const files = readdirSync(folder).map((name) => {
    return JSON.parse(readFileSync(join(folder, name), 'utf8')) as RecordFile;
  });
  if (files.length === 0) throw new Error(`no runtime has written anything into ${folder}`);
  return { files, judgements: merged(files), stacks: stacksOf(files) };
}

function merged(files: readonly RecordFile[]): Records['judgements'] {
  const all = new Map<string, Recorded & { by: string[] }>();
  for (const { by, judgements } of files) {
    for (const judgement of judgements) {
      const key = JSON.stringify({ ...judgement, times: 0 });
      const known = all.get(key) ?? { ...judgement, times: 0, by: [] };
      known.times += judgement.times;
      if (by !== '' && !known.by.includes(by)) known.by.push(by);
      all.set(key, known);
    }
  }
  return [...all.values()];
}

function stacksOf(files: readonly RecordFile[]): Records['stacks'] {
  const stacks = new Map<string, Held[]>();
  for (const { statements } of files) {
    const held = statements.map(heldBy);
    stacks.set(
      held
        .map(({ key }) => key)
        .toSorted()
        .join(),
      held,
    );
  }
  return [...stacks.values()];
}

function heldBy({ arn, policy, written }: RecordFile['statements'][number]): Held {
  const isOfRole = written.Principal === undefined;
  const [statement] = statementsOf(
    policy,
    { Version: '2012-10-17', Statement: [written] },
    isOfRole ? undefined : arn,
  );
  if (statement === undefined) throw new Error(`${policy} says nothing`);
  return { key: keyOf(statement), arn, isOfRole, statement };
}
