import { Stack } from 'aws-cdk-lib';
import { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { HandlerFunction } from '../handler-function.ts';

/** What monitoring finds when it looks into the stack from outside: nothing in there knows of it. */
export interface Watched {
  /** But those of the canary, which has an alarm of its own. */
  readonly functions: readonly HandlerFunction[];
  readonly tables: readonly Table[];
  readonly table: (id: string) => Table;
  readonly queue: (path: string) => Queue;
  /** By the last part of its path, such as `Deliver`. */
  readonly function: (id: string) => HandlerFunction;
  readonly hasCanary: boolean;
}

/** All functions, tables and queues of a stack. */
export function watched(scope: Construct): Watched {
  const all = Stack.of(scope).node.findAll();
  const everyFunction = all.filter((node) => node instanceof HandlerFunction);
  const functions = everyFunction.filter(({ node }) => !node.id.startsWith('Canary'));
  const queues = all.filter((node) => node instanceof Queue);
  const tables = all.filter((node) => node instanceof Table);
  return {
    functions,
    tables,
    table: (id) => oneOf(tables, ({ node }) => node.id === id, id),
    queue: (path) => oneOf(queues, ({ node }) => node.path.endsWith(`/${path}`), path),
    function: (id) => oneOf(everyFunction, ({ node }) => node.id === id, id),
    hasCanary: everyFunction.length > functions.length,
  };
}

function oneOf<Thing>(all: readonly Thing[], isMeant: (one: Thing) => boolean, name: string): Thing {
  const [one, ...others] = all.filter(isMeant);
  if (one === undefined || others.length > 0) throw new Error(`there must be one ${name} to watch`);
  return one;
}
