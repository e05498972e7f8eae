import type { Answer } from '../../lambdas/request/answer.ts';
import type { Delivery } from '../../lambdas/delivery/delivery.ts';
import type { DeliveryMessage } from '../../lambdas/delivery/message.ts';
import type { Endpoint } from '../../lambdas/endpoint/endpoint.ts';
import { well } from '../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../lambdas/endpoint/health/health.ts';
import type { StoredEvent } from '../../lambdas/event/event.ts';
import type { Organization } from '../../lambdas/organization/organization.ts';
import type { SigningKey } from '../../lambdas/signing/signing-key.ts';
import { History } from './history.ts';

/** A request as its receiver saw it. */
export interface Request {
  /** Who sent it. */
  readonly instance: string;
  readonly endpointId: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly atMs: number;
  /** The receiver's answer, and when the sender has it. */
  readonly answer: Answer;
  readonly answeredAtMs: number;
  /** How much longer the receiver asked to be left alone, by then; 0 if it did not. */
  readonly hintMs: number;
  /** Whether somebody has tried to record its outcome. */
  isSettled: boolean;
}

export interface Recorded {
  readonly request: Request;
  readonly round: number;
  readonly attemptOfRound: number;
}

/** All that is known of one delivery: of a pair of endpoint and event. */
export interface Dossier {
  readonly key: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly requests: Request[];
  /** The latest record in the ledger. */
  delivery?: Delivery;
  /** What DynamoDB has deleted, since its time was over. */
  swept?: Delivery;
  /** The request whose attempt was recorded last. */
  lastRecorded?: Recorded;
  /** Requests whose outcome was recorded. */
  recorded: number;
  /** How often each attempt was made by a copy of its message that came too late to record it. */
  readonly overtaken: Map<number, number>;
  /** How often it was asked for by hand. */
  askedFor: number;
  /** The last round that was asked for with success. */
  owedRound: number;
  /** Whether a copy of its message was acknowledged while another copy was worked on, which then could not come again. */
  isOrphaned: boolean;
  /** Whether its time was over once, and it has begun anew since. */
  wasForgotten: boolean;
  /** How often it was sent again by a later pass over the rows while its request was under way. */
  repassed: number;
  /** The pass over the rows that has sent it last, since an attempt was recorded. */
  lastPass: number | undefined;
  /** Messages of it that nobody has received yet, by their ids. */
  readonly messages: Map<string, DeliveryMessage>;
  /** When it was first possible to make the next attempt. */
  dueAtMs: number | undefined;
  /** What befell calls for it: each may cost a request more, or a message. */
  disturbances: number;
  /** Calls for it that came to nothing since its letter was redriven last. */
  inVain: number;
}

/** What has happened so far, as nobody in the system knows it. */
export class Book {
  readonly dossiers = new Map<string, Dossier>();
  /** Events in the ledger, as they were first stored. */
  readonly events = new Map<string, StoredEvent>();
  /** Copies of an event on the bus or on its queue, and faults while it was routed. */
  readonly #eventDisturbances = new Map<string, number>();
  readonly #endpoints = new Map<string, History<Endpoint | undefined>>();
  readonly #organizations = new Map<string, History<Organization | undefined>>();
  readonly #health = new Map<string, History<Health>>();
  readonly #waits = new Map<string, { readonly sinceMs: number; readonly count: number }[]>();
  /** Signing keys by their `kid`. */
  readonly #keys = new Map<string, History<SigningKey | undefined>>();
  /** Signing secrets by the ids of their versions. */
  readonly secrets = new Map<string, string>();
  /** Waits of retries that nobody asked for, by what they would be without jitter: all, and those that are just that. */
  readonly waits = new Map<number, { all: number; exact: number }>();
  /** When each message of a recovery is due. */
  readonly recoveredMs: number[] = [];
  /** Who has written last what is observed of an endpoint. */
  readonly healthWriters = new Map<string, string>();
  /** Probes that were allowed of endpoints whose breaker is open, and not yet made. */
  readonly leases: Lease[] = [];
  /** The body of each event that was published, as every receiver must get it, by the event's id. */
  readonly published = new Map<string, Published>();
  /** The same events as they went to the queue, which may hold several of one. */
  readonly sentToBus = new Map<string, string>();
  /** What each message is about, by its id. */
  readonly messages = new Map<string, Reference>();
  /** Events of organizations that do not exist, and what is no event. */
  strays = 0;
  /** Deliveries whose death was told on the bus. */
  readonly announced = new Set<string>();
  redrives = 0;
  /** When the API has answered a change of an organization's configuration, by its id. */
  readonly #answeredMs = new Map<string, number[]>();
  /** When everything was asked for that anybody lacked. */
  recoveredAtMs: number | undefined;
  /** Messages that are none of ours. */
  poison = 0;

  endpoint(id: string): History<Endpoint | undefined> {
    return found(this.#endpoints, id, () => new History<Endpoint | undefined>(undefined));
  }

  signingKey(kid: string): History<SigningKey | undefined> {
    return found(this.#keys, kid, () => new History<SigningKey | undefined>(undefined));
  }

  health(endpointId: string): History<Health> {
    return found(this.#health, endpointId, () => new History(well));
  }

  /** How many rows have waited for an endpoint, since when. */
  waitsOf(endpointId: string): { readonly sinceMs: number; readonly count: number }[] {
    return found(this.#waits, endpointId, () => []);
  }

  get endpointIds(): string[] {
    return [...this.#endpoints.keys()];
  }

  get organizationIds(): string[] {
    return [...this.#organizations.keys()];
  }

  organization(id: string): History<Organization | undefined> {
    return found(this.#organizations, id, () => new History<Organization | undefined>(undefined));
  }

  /** Whoever has changed an organization's configuration has his answer. */
  answer(organizationId: string, nowMs: number): void {
    found(this.#answeredMs, organizationId, () => []).push(nowMs);
  }

  /** When the last change was answered before a moment. */
  lastAnswerMs(organizationId: string, beforeMs: number): number {
    return this.#answeredMs.get(organizationId)?.findLast((atMs) => atMs < beforeMs) ?? -Infinity;
  }

  dossier(endpointId: string, eventId: string): Dossier {
    const key = `${endpointId} ${eventId}`;
    return found(this.dossiers, key, () => ({
      ...{ key, endpointId, eventId, requests: [], overtaken: new Map<number, number>() },
      ...{
        recorded: 0,
        askedFor: 0,
        owedRound: 1,
        disturbances: 0,
        inVain: 0,
        isOrphaned: false,
        wasForgotten: false,
        repassed: 0,
      },
      ...{ lastPass: undefined, messages: new Map<string, DeliveryMessage>(), dueAtMs: undefined },
    }));
  }

  disturb({ endpointId, eventId }: Reference): void {
    if (endpointId === undefined) this.#eventDisturbances.set(eventId, this.#disturbancesOf(eventId) + 1);
    else this.dossier(endpointId, eventId).disturbances += 1;
  }

  /** A call for it came to nothing, whatever that may cost it. */
  fail({ endpointId, eventId }: Reference): void {
    if (endpointId !== undefined) this.dossier(endpointId, eventId).inVain += 1;
  }

  /** How often something befell the delivery, or its event before there was one. */
  disturbances({ eventId, disturbances }: Dossier): number {
    return disturbances + this.#disturbancesOf(eventId);
  }

  #disturbancesOf(eventId: string): number {
    return this.#eventDisturbances.get(eventId) ?? 0;
  }
}

export interface Lease {
  readonly endpointId: string;
  /** Who took it. */
  readonly instance: string;
  readonly atMs: number;
  isUsed: boolean;
}

export interface Published {
  readonly organizationId: string;
  readonly type: string;
  readonly body: Buffer;
}

/** A delivery, or all deliveries of an event. */
export interface Reference {
  readonly endpointId?: string;
  readonly eventId: string;
}

function found<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const there = map.get(key);
  if (there !== undefined) return there;
  const made = make();
  map.set(key, made);
  return made;
}
