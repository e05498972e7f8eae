import type { Place } from '../../resources/create.ts';

/** One permission that a call takes: whoever calls needs all of them. */
export interface Need {
  readonly action: string;
  readonly resource: string;
  /** By condition key, as it is documented. */
  readonly context?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The service that uses a key in the caller's name. */
  readonly via?: 'sqs' | 'dynamodb' | 'secretsmanager' | 'lambda';
}

/** A signing key, as far as conditions can ask for it. */
export interface KeyFacts {
  readonly arn: string;
  readonly usage: string;
  readonly spec: string;
  /** Those that count by now. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface SecretFacts {
  readonly arn: string;
  readonly keyArn: string | undefined;
}

/** What a call's needs depend on, beside its input. */
export interface Surroundings {
  readonly place: Place;
  /** The customer's key that a queue, a table or a topic is encrypted with. */
  readonly keyOf: (arn: string) => string | undefined;
  /** Name of the attribute by which a table or an index is partitioned. */
  readonly partitionKeyOf: (arn: string) => string | undefined;
  readonly keyFacts: (keyId: string) => KeyFacts | undefined;
  readonly secretFacts: (secretId: string) => SecretFacts | undefined;
  /** Whether KMS tells the use of a key that is tagged as it is made. AWS does not document it. */
  readonly tellsUsageAtTagging: boolean;
}

export type NeedsOf = (action: string, input: unknown, surroundings: Surroundings) => readonly Need[];

/** @throws Error: a call whose needs nobody has written down is never let through. */
export function unknownCall(service: string, action: string): never {
  throw new Error(`Nobody has written down which permissions ${service}:${action} takes`);
}

/** Use of a key by a service in the caller's name, for what is encrypted with it; none where no key is the customer's. */
export function keyUse(
  { place }: Pick<Surroundings, 'place'>,
  keyArn: string | undefined,
  {
    via,
    actions,
    context,
  }: { via: NonNullable<Need['via']>; actions: readonly string[]; context: Need['context'] },
): Need[] {
  if (keyArn === undefined) return [];
  const common = {
    'kms:ViaService': `${via}.${place.region}.amazonaws.com`,
    'kms:CallerAccount': place.accountId,
  };
  return actions.map((action) => ({
    action: `kms:${action}`,
    resource: keyArn,
    via,
    context: { ...common, 'kms:KeyUsage': 'ENCRYPT_DECRYPT', ...context },
  }));
}

/** Stands for a key that is not there yet: what names one key does not mean it. */
export function anyKey({ place }: Pick<Surroundings, 'place'>): string {
  return `arn:aws:kms:${place.region}:${place.accountId}:key/*`;
}
