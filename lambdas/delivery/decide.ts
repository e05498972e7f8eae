import type { Endpoint } from '../endpoint/endpoint.ts';
import { wants } from '../endpoint/wants.ts';
import type { StoredEvent } from '../event/event.ts';
import type { Health } from '../endpoint/health/health.ts';
import { isEntitled } from '../organization/organization.ts';
import type { Organization } from '../organization/organization.ts';
import { effectivePolicy } from '../organization/policy.ts';
import type { EffectivePolicy } from '../organization/policy.ts';
import { isParked, owedBy } from './delivery.ts';
import type { Delivery, DiscardReason } from './delivery.ts';
import type { DeliveryMessage } from './message.ts';

/** Whom a delivery is for. */
export interface Recipient {
  readonly organization: Organization | undefined;
  readonly endpoint: Endpoint | undefined;
}

/**
 * Whether there is somebody to deliver to who may have it; for all others deliveries end at once. Only of those is
 * worth remembering what was read: what is recovered as soon as an endpoint is on must not be discarded once more.
 */
export function isServed({ organization, endpoint }: Recipient): boolean {
  return organization !== undefined && isEntitled(organization) && endpoint?.active === true;
}

/** What the ledger knows. */
export interface Known {
  readonly delivery: Delivery | undefined;
  readonly event: StoredEvent | undefined;
}

/** A delivery that may be attempted now. */
export interface Job {
  readonly message: DeliveryMessage;
  readonly organization: Organization;
  readonly endpoint: Endpoint;
  readonly policy: EffectivePolicy;
  readonly event: StoredEvent;
  readonly delivery: Delivery | undefined;
}

export type Decision =
  | { readonly kind: 'attempt'; readonly job: Job }
  | { readonly kind: 'discard'; readonly message: DeliveryMessage; readonly reason: DiscardReason }
  /** Another copy of the message leads, or all is done: this one ends here. */
  | { readonly kind: 'drop' }
  /** It waits as a row: this message ends here, but somebody must come for the row. */
  | { readonly kind: 'waits' }
  /** Its attempt is recorded, and what the record owes was perhaps never sent. */
  | { readonly kind: 'follow'; readonly delivery: Delivery };

export interface Facts extends Recipient, Known {
  readonly health: Health;
}

/**
 * What is to be done with a message whose time has come, by what is recorded. No copy of a message, however late it
 * comes, repeats a recorded attempt; no crash leaves a delivery with nobody to come for it.
 */
export function decide(received: DeliveryMessage, facts: Facts): Decision {
  const message = leading(received.dead === undefined ? received : reopening(received), facts.delivery);
  if ('kind' in message) return message;
  const { organization, endpoint, event, delivery, health } = facts;
  if (endpoint === undefined) return { kind: 'discard', message, reason: 'endpoint_deleted' };
  if (organization === undefined || !isEntitled(organization)) {
    return { kind: 'discard', message, reason: 'not_entitled' };
  }
  if (!endpoint.active) return { kind: 'discard', message, reason: 'endpoint_disabled' };
  if (health.off !== undefined) {
    return { kind: 'discard', message, reason: health.off.reason === 'gone' ? 'gone' : 'endpoint_disabled' };
  }
  if (event === undefined) return { kind: 'discard', message, reason: 'expired' };
  // What somebody asked for by hand is sent, whatever the subscription says by now.
  if (!isByHand(message, delivery) && !stillWanted(endpoint, event)) {
    return { kind: 'discard', message, reason: 'unsubscribed' };
  }
  const policy = effectivePolicy(endpoint.policy, organization.policy);
  return { kind: 'attempt', job: { message, organization, endpoint, policy, event, delivery } };
}

/** Whether somebody has asked for this round. */
function isByHand({ round, trigger }: DeliveryMessage, delivery: Delivery | undefined): boolean {
  const isAskedFor = delivery?.attempts.some((one) => one.round === round && one.trigger === 'manual');
  return round > 1 || trigger === 'manual' || isAskedFor === true;
}

function stillWanted(endpoint: Endpoint, { type, category }: StoredEvent): boolean {
  return category === undefined || wants(endpoint, { name: type, category });
}

/**
 * The message, if it is the one that leads, with its number in the ledger's count: whoever opens a round asks for
 * its first attempt, whatever number that has become.
 */
function leading(message: DeliveryMessage, delivery: Delivery | undefined): DeliveryMessage | Decision {
  if (delivery === undefined) return message;
  if (message.round > delivery.round) {
    // A redrive revives only what is dead: by now somebody may have retried it by hand.
    const mayOpen = message.trigger !== 'redrive' || delivery.status === 'dead';
    return mayOpen ? { ...message, attempt: delivery.attemptCount + 1 } : { kind: 'drop' };
  }
  if (message.round < delivery.round) return { kind: 'drop' };
  const opensRound = message.trigger === 'manual' || message.trigger === 'redrive';
  const attempt = opensRound ? delivery.roundStart + 1 : message.attempt;
  if (delivery.attemptCount === attempt && owedBy(delivery) !== 'nothing')
    return { kind: 'follow', delivery };
  if (delivery.status !== 'retrying' || delivery.attemptCount >= attempt) return { kind: 'drop' };
  // Only who was brought back from among the rows goes on; every other message of it is a copy.
  if (isParked(delivery) && message.pass === undefined) return { kind: 'waits' };
  return { ...message, attempt, trigger: delivery.trigger ?? message.trigger };
}

/** The message that a dead one becomes when it has come back by a redrive: it asks for a new round. */
export function reopening({ dead, ...message }: DeliveryMessage): DeliveryMessage {
  const attempt = (dead?.attempts ?? message.attempt) + 1;
  return { ...message, round: message.round + 1, attempt, trigger: 'redrive' };
}
