import { z } from 'zod';
import { attempt, trigger } from '../delivery/attempt-record.ts';
import { deliverySummary, discardReason, shownStatus } from '../delivery/delivery.ts';
import { diagnosis } from '../delivery/test-event.ts';
import type { Route } from '../shared/route.ts';

type Answering = Pick<Route, 'operationId' | 'answer'>;

/**
 * Gives names to what has none where it is made: what is shown of deliveries, which are kept apart from what is shown,
 * and pages, which are called by what is on them. All else is named beside its schema, by `meta({ id })`.
 */
export function nameAnswers(routes: readonly Answering[]): void {
  for (const [schema, id] of shownOfDeliveries) say(schema, { id });
  say(shownStatus, { description: statuses });
  for (const time of times) say(time, { format: 'date-time' });
  for (const { operationId, answer } of routes) nameAnswer(operationId, answer.schema);
  for (const { answer } of routes) {
    const item = itemOf(answer.schema, 'data');
    const id = item && z.globalRegistry.get(item)?.id;
    const isPage = answer.schema instanceof z.ZodObject && 'nextCursor' in answer.schema.shape;
    if (isPage && id !== undefined) say(answer.schema, { id: `${id}Page` });
  }
}

function nameAnswer(operationId: string, schema: z.ZodType | undefined): void {
  const id = answers[operationId];
  if (id !== undefined && schema !== undefined) say(schema, { id });
  const own = items[operationId];
  const item = itemOf(schema, own?.list);
  if (own === undefined || item === undefined) return;
  say(item, { id: own.id });
  const next: unknown = item.shape['nextAttemptAt'];
  const time: unknown = next instanceof z.ZodOptional ? next.unwrap() : undefined;
  if (time instanceof z.ZodString) say(time, { format: 'date-time' });
}

const { phases, outcome } = diagnosis.shape;
const statuses =
  '`queued`: not attempted yet. `retrying`: an attempt has failed, and another will come. `delivered`: the receiver has ' +
  'answered 2xx. `dead`: its attempts are used up. `discarded`: not made on purpose, see `reason`. `failed`: of a test.';

const shownOfDeliveries: readonly (readonly [z.ZodType, string])[] = [
  [attempt, 'Attempt'],
  [attempt.shape.outcome, 'AttemptOutcome'],
  [trigger, 'AttemptTrigger'],
  [shownStatus, 'DeliveryStatus'],
  [discardReason, 'DiscardReason'],
  [diagnosis, 'Diagnosis'],
  [outcome, 'DiagnosisOutcome'],
  [phases.element, 'DiagnosedPhase'],
  [phases.element.shape.certificate.unwrap(), 'ReceiverCertificate'],
];

const times: readonly z.ZodType[] = [
  attempt.shape.at,
  deliverySummary.shape.updatedAt,
  deliverySummary.shape.nextAttemptAt.unwrap(),
];

const answers: Readonly<Record<string, string>> = {
  getDelivery: 'Delivery',
  getEvent: 'EventReport',
  retryDelivery: 'RetriedDelivery',
};

/** What a list in an answer holds. */
const items: Readonly<Record<string, { readonly list: string; readonly id: string }>> = {
  getEvent: { list: 'deliveries', id: 'DeliveryReport' },
  listDeadLetters: { list: 'data', id: 'DeadLetter' },
};

function say(schema: z.ZodType, more: z.core.GlobalMeta): void {
  z.globalRegistry.add(schema, { ...z.globalRegistry.get(schema), ...more });
}

function itemOf(schema: z.ZodType | undefined, list: string | undefined): z.ZodObject | undefined {
  if (list === undefined || !(schema instanceof z.ZodObject)) return undefined;
  const array: unknown = schema.shape[list];
  return array instanceof z.ZodArray && array.element instanceof z.ZodObject ? array.element : undefined;
}
