import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { makeDeliveryReader } from '../../lambdas/delivery/store.ts';
import { makeHealthStore } from '../../lambdas/endpoint/health/store.ts';
import { makeEndpointStore } from '../../lambdas/endpoint/store.ts';
import { makeEventStore, makeEventTypeStore } from '../../lambdas/event/store.ts';
import { makeOrganizationStore } from '../../lambdas/organization/store.ts';
import { makeJobStore } from '../../lambdas/recovery/store.ts';
import { makeSigningKeyStore } from '../../lambdas/signing/store.ts';
import type { Now } from '../../lambdas/shared/time.ts';

/** The real stores, as whoever has this client reaches them; each is made when it is asked for. */
export class Stores {
  readonly #client: DynamoDBDocumentClient;
  readonly #tables: { readonly config: string; readonly ledger: string };
  readonly #now: Now;

  constructor(
    client: DynamoDBDocumentClient,
    tables: { readonly config: string; readonly ledger: string },
    now: Now,
  ) {
    this.#client = client;
    this.#tables = tables;
    this.#now = now;
  }

  get organizations(): ReturnType<typeof makeOrganizationStore> {
    return makeOrganizationStore(this.#client, this.#tables.config);
  }

  get endpoints(): ReturnType<typeof makeEndpointStore> {
    return makeEndpointStore(this.#client, this.#tables.config);
  }

  get eventTypes(): ReturnType<typeof makeEventTypeStore> {
    return makeEventTypeStore(this.#client, this.#tables.config);
  }

  get keys(): ReturnType<typeof makeSigningKeyStore> {
    return makeSigningKeyStore(this.#client, this.#tables.config);
  }

  get events(): ReturnType<typeof makeEventStore> {
    return makeEventStore(this.#client, this.#tables.ledger, this.#now);
  }

  get deliveries(): ReturnType<typeof makeDeliveryReader> {
    return makeDeliveryReader(this.#client, this.#tables.ledger, this.#now);
  }

  get health(): ReturnType<typeof makeHealthStore> {
    return makeHealthStore(this.#client, this.#tables.ledger, this.#now);
  }

  get jobs(): ReturnType<typeof makeJobStore> {
    return makeJobStore(this.#client, this.#tables.ledger, this.#now);
  }
}
