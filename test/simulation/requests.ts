import {
  BatchGetCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Reference } from './book.ts';

type Item = Readonly<Record<string, unknown>>;

/** What a request of DynamoDB is called in a story. */
export function nameOf(command: unknown): string {
  if (command instanceof GetCommand) return `get ${placeOf(command.input.Key)}`;
  if (command instanceof PutCommand) return `put ${placeOf(command.input.Item)}`;
  if (command instanceof UpdateCommand) return `update ${placeOf(command.input.Key)}`;
  if (command instanceof DeleteCommand) return `delete ${placeOf(command.input.Key)}`;
  if (command instanceof QueryCommand) return `query ${placesOf(command).join(' ')}`;
  const verb = command instanceof TransactWriteCommand ? 'write together' : 'get';
  return `${verb} ${keysOf(command).map(placeOf).join(', ')}`;
}

function placeOf(item: Item = {}): string {
  return `${String(item['pk'])} ${String(item['sk'])}`;
}

/** The deliveries that it is about; of an event that is stored, all of its deliveries. */
export function deliveriesOf(command: unknown): Reference[] {
  const isPut = command instanceof PutCommand;
  return keysOf(command).flatMap((key) => referenceOf(key, isPut) ?? []);
}

/** Which delivery stands under a key, or which event. */
export function referenceOf({ pk, sk }: Item, withEvents: boolean): Reference | undefined {
  if (typeof pk !== 'string' || typeof sk !== 'string') return undefined;
  if (sk.startsWith('DELIVERY#')) {
    return { endpointId: pk.slice('ENDPOINT#'.length), eventId: sk.slice('DELIVERY#'.length) };
  }
  return withEvents && sk.startsWith('EVENT#') ? { eventId: sk.slice('EVENT#'.length) } : undefined;
}

/** The partitions that it reaches, those of indexes behind the name of the index. */
export function placesOf(command: unknown): string[] {
  if (command instanceof QueryCommand) {
    const { IndexName = 'table', ExpressionAttributeValues = {} } = command.input;
    const values = Object.values(ExpressionAttributeValues);
    return values.flatMap((value) => (typeof value === 'string' ? [`${IndexName} ${value}`] : []));
  }
  const places = keysOf(command).map(({ pk }) => `table ${String(pk)}`);
  const { waiting, statusKey } = writtenBy(command);
  if (typeof waiting === 'string') places.push(`waiting ${waiting}`);
  if (typeof statusKey === 'string') places.push(`byStatus ${statusKey}`);
  return places;
}

function writtenBy(command: unknown): { waiting?: unknown; statusKey?: unknown } {
  if (command instanceof PutCommand) return command.input.Item ?? {};
  if (!(command instanceof UpdateCommand)) return {};
  const values = command.input.ExpressionAttributeValues ?? {};
  return { waiting: values[':waiting'], statusKey: values[':statusKey'] };
}

function keysOf(command: unknown): Item[] {
  if (command instanceof BatchGetCommand) {
    return Object.values(command.input.RequestItems ?? {}).flatMap(({ Keys = [] }) => Keys);
  }
  if (command instanceof TransactWriteCommand) {
    const { TransactItems = [] } = command.input;
    return TransactItems.map(
      ({ Put, Update, Delete }): Item => Put?.Item ?? Update?.Key ?? Delete?.Key ?? {},
    );
  }
  if (command instanceof PutCommand) return [command.input.Item ?? {}];
  if (command instanceof GetCommand || command instanceof UpdateCommand || command instanceof DeleteCommand) {
    return [command.input.Key ?? {}];
  }
  return [];
}
