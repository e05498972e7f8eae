import type { Endpoint } from '../endpoint/endpoint.ts';
import { wants } from '../endpoint/wants.ts';
import type { StoredEvent } from '../event/event.ts';
import { isEntitled } from '../organization/organization.ts';
import type { Organization } from '../organization/organization.ts';
import type { Delivery, DiscardReason } from './delivery.ts';
import type { DeliveryMessage } from './message.ts';

/** Whom a delivery is for. */
export interface Recipient {
  readonly organization: Organization | undefined;
  readonly endpoint: Endpoint | undefined;
}

/** Whether there is somebody to deliver to, and somebody who may have it. */
export function isComplete({ organization, endpoint }: Recipient): boolean {
  return organization !== undefined && endpoint !== undefined;
}

/** What the ledger knows. */
export interface Known {
  readonly delivery: Delivery | undefined;
  readonly event: StoredEvent | undefined;
}

export interface Receipt {
  /** When SQS took the message. */
  readonly sentAtMs: number;
  readonly receiveCount: number;
}

/** A delivery that may be attempted now. */
export interface Job {
  readonly message: DeliveryMessage;
  readonly organization: Organization;
  readonly endpoint: Endpoint;
  readonly event: StoredEvent;
  readonly delivery: Delivery | undefined;
}

export type Decision =
  | { readonly kind: 'attempt'; readonly job: Job }
  | { readonly kind: 'discard'; readonly message: DeliveryMessage; readonly reason: DiscardReason }
  /** Another copy of the message leads, or all is done: this one ends here. */
  | { readonly kind: 'drop' }
  /** Its attempt is recorded, but the message that must follow may never have been sent. */
  | { readonly kind: 'follow'; readonly delivery: Delivery };

export interface Facts extends Recipient, Known {
  readonly receipt: Receipt;
  readonly nowMs: number;
}

/**
 * What is to be done with a message whose time has come, by what is recorded (DESIGN.md, section 2). No copy of a
 * message, however late it comes, repeats a recorded attempt; no crash leaves a delivery without a message.
 */
export function decide(received: DeliveryMessage, facts: Facts): Decision {
  const message = received.dead === undefined ? continued(received, facts) : reopened(received, facts);
  if ('kind' in message) return message;
  const { organization, endpoint, event, delivery } = facts;
  if (endpoint === undefined) return { kind: 'discard', message, reason: 'endpoint_deleted' };
  if (organization === undefined || !isEntitled(organization)) {
    return { kind: 'discard', message, reason: 'not_entitled' };
  }
  if (!endpoint.active) return { kind: 'discard', message, reason: 'endpoint_disabled' };
  if (event === undefined) return { kind: 'discard', message, reason: 'expired' };
  // What somebody asked for by hand is sent, whatever the subscription says by now.
  if (message.round === 1 && !stillWanted(endpoint, event)) {
    return { kind: 'discard', message, reason: 'unsubscribed' };
  }
  return { kind: 'attempt', job: { message, organization, endpoint, event, delivery } };
}

function stillWanted(endpoint: Endpoint, { type, category }: StoredEvent): boolean {
  return category === undefined || wants(endpoint, { name: type, category });
}

/** The message of a running round, if it is the one that leads. */
function continued(message: DeliveryMessage, facts: Facts): DeliveryMessage | Decision {
  const { delivery } = facts;
  if (delivery === undefined) return message;
  if (message.round > delivery.round) return { ...message, attempt: delivery.attemptCount + 1 };
  if (message.round < delivery.round) return { kind: 'drop' };
  if (delivery.status === 'retrying' && delivery.attemptCount < message.attempt) return message;
  return mustFollow(message, facts, delivery) ? { kind: 'follow', delivery } : { kind: 'drop' };
}

/** Past this, the message that should have come at `nextAttemptAt` was never sent. */
const overdueMs = 60_000;

/**
 * A message whose own attempt is the latest recorded one has been handled but for its end. Received again, it
 * died between the record and the next message, and sends that one now. Received once, it is a copy: the next
 * message is on its way, unless it is overdue.
 */
function mustFollow(message: DeliveryMessage, { receipt, nowMs }: Facts, delivery: Delivery): boolean {
  if (delivery.attemptCount !== message.attempt) return false;
  if (delivery.status === 'delivered' || delivery.status === 'discarded') return false;
  const isOverdue =
    delivery.nextAttemptAt !== undefined && nowMs > Date.parse(delivery.nextAttemptAt) + overdueMs;
  return receipt.receiveCount > 1 || isOverdue;
}

/** A dead message that has come back by a redrive opens a new round, once. */
function reopened({ dead, ...message }: DeliveryMessage, { delivery }: Facts): DeliveryMessage | Decision {
  if (delivery !== undefined && (delivery.status !== 'dead' || delivery.round !== message.round)) {
    return { kind: 'drop' };
  }
  const attempt = (delivery?.attemptCount ?? dead?.attempts ?? message.attempt) + 1;
  return { ...message, round: message.round + 1, attempt, trigger: 'redrive' };
}
