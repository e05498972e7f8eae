import { z } from 'zod';
import { subscribableCategories, subscribableCategory } from '../event/event-type.ts';
import { policy, policyChange } from '../organization/policy.ts';
import { endpointId, organizationId } from '../shared/identifier.ts';
import { ownSecret } from '../signing/secret.ts';
import { clientCertificate, shownCertificate } from './client-certificate.ts';
import { patternOfTypes } from './wants.ts';
import { newHeaders, ownHeader, shownHeader, wantedHeaders } from './own-header.ts';
import { shownTime } from '../shared/time.ts';

/** Judged by `judge`, together with the catalogue; here only bounded. */
const eventTypePattern = z.string().max(128).meta({ pattern: patternOfTypes.source });

/** A name that people give, unique in its organization: configuration as code knows an endpoint by it. */
export const endpointName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,63}$/,
    'lower-case letters, digits, _ and -, 1 to 64 of them, beginning with a letter or digit',
  );

const fields = {
  /** Judged by `parseTarget`; here only bounded. */
  url: z.string().min(1).max(2_048).meta({ pattern: '^[hH][tT][tT][pP][sS]://' }),
  description: z.string().max(1_000),
  active: z.boolean(),
  eventTypes: z.array(eventTypePattern).max(200),
  categories: z.array(subscribableCategory).max(subscribableCategories.length),
  policy,
  /** Whether the beginning of a receiver's answer is kept with the attempt: a way out for private data. */
  keepResponse: z.boolean(),
  /** `hmac` by a secret of the endpoint's own, `jwt` by a key of the organization's in KMS. */
  scheme: z.enum(['hmac', 'jwt']).meta({ id: 'SignatureScheme' }),
};

/** What an administrator says of a new endpoint. */
export const newEndpoint = z
  .strictObject({
    name: endpointName.exactOptional(),
    url: fields.url,
    description: fields.description.exactOptional(),
    active: fields.active.default(true),
    eventTypes: fields.eventTypes.default([]),
    categories: fields.categories.default([]),
    policy: fields.policy.default({}),
    keepResponse: fields.keepResponse.default(false),
    scheme: fields.scheme.default('hmac'),
    /** A secret of the caller's own; without it one is made. */
    secret: ownSecret.exactOptional(),
    headers: newHeaders.default([]),
  })
  .meta({ id: 'NewEndpoint' });

/** Of a field that `null` takes back to what a new endpoint has (RFC 7396). */
function revertible<S extends z.ZodType>(schema: S, byDefault: z.output<S>) {
  return z.exactOptional(z.nullable(schema).transform((value) => value ?? byDefault));
}

/** What an administrator may change, as a merge patch (RFC 7396); a URL has no default to go back to. */
export const endpointChange = z
  .strictObject({
    name: endpointName.nullable().exactOptional(),
    url: fields.url.exactOptional(),
    description: fields.description.nullable().exactOptional(),
    active: revertible(fields.active, true),
    eventTypes: revertible(fields.eventTypes, []),
    categories: revertible(fields.categories, []),
    policy: policyChange.nullable().exactOptional(),
    keepResponse: revertible(fields.keepResponse, false),
    scheme: revertible(fields.scheme, 'hmac'),
    /** The whole list; a secret header without a value keeps the one it has. */
    headers: revertible(wantedHeaders, []),
  })
  .meta({ id: 'EndpointChange' });

/** A live version of an endpoint's secret: the first in the list is the newest. */
export const secretVersion = z
  .object({
    id: z.string(),
    createdAt: shownTime,
    /** Absent on the newest. */
    expiresAt: shownTime.optional(),
  })
  .meta({ id: 'SecretVersion' });

/**
 * An endpoint as the configuration keeps it. A field that is added must be optional here, or have a default: those that
 * were stored before have none, and what does not parse is a fault of ours, so its deliveries would only be held.
 */
export const endpoint = z.object({
  id: endpointId,
  organizationId,
  name: endpointName.exactOptional(),
  ...fields,
  description: fields.description.exactOptional(),
  headers: z.array(ownHeader),
  clientCertificate: clientCertificate.exactOptional(),
  secretVersions: z.array(secretVersion).min(1),
  createdAt: shownTime,
  updatedAt: shownTime,
});

/** An endpoint as it is shown: no secret comes back. */
export const shownEndpoint = endpoint
  .extend({
    headers: z.array(shownHeader),
    clientCertificate: shownCertificate.exactOptional(),
  })
  .meta({ id: 'EndpointSettings' });

/** An endpoint as it is shown once, to whom has made it. */
export const madeEndpoint = shownEndpoint
  .extend({
    secret: z.string(),
    /** What is as it was asked for, and yet may not be what was meant. */
    warnings: z
      .array(z.strictObject({ code: z.string(), detail: z.string() }).meta({ id: 'EndpointWarning' }))
      .exactOptional(),
  })
  .meta({ id: 'CreatedEndpoint' });

/** What is said beside an endpoint that was made, if anything is. */
export function warningsOf({
  eventTypes,
  categories,
}: Endpoint): Pick<z.output<typeof madeEndpoint>, 'warnings'> {
  if (eventTypes.length + categories.length > 0) return {};
  const detail = 'It receives nothing yet: subscribe it by eventTypes or categories.';
  return { warnings: [{ code: 'no_subscription', detail }] };
}

/** What a caller sees of an endpoint. */
export function show(stored: Endpoint): z.output<typeof shownEndpoint> {
  return shownEndpoint.parse(stored);
}

export type NewEndpoint = z.output<typeof newEndpoint>;
export type EndpointChange = z.output<typeof endpointChange>;
export type Endpoint = z.output<typeof endpoint>;
export type SecretVersion = z.output<typeof secretVersion>;

/** Signatures in one header: with more, some receivers fail. */
export const liveVersionsMax = 3;

/** Ids of the versions that sign at a moment, newest first. */
export function liveVersions({ secretVersions }: Endpoint, nowMs: number): string[] {
  return secretVersions
    .filter(({ expiresAt }) => expiresAt === undefined || Date.parse(expiresAt) > nowMs)
    .map(({ id }) => id)
    .slice(0, liveVersionsMax);
}
