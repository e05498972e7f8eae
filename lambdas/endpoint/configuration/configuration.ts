import { z } from 'zod';
import { policy } from '../../organization/policy.ts';
import { Conflict } from '../../shared/errors.ts';
import { endpointId } from '../../shared/identifier.ts';
import { newEndpoint, shownEndpoint } from '../endpoint.ts';
import type { Endpoint } from '../endpoint.ts';
import { wantedHeaders } from '../own-header.ts';
import type { Subscribers } from '../subscribers.ts';

/** The function may answer with 6 MB, and takes as much; the rest is for escapes, and what is said of each endpoint. */
export const configurationBytesMax = 4 * 1024 * 1024;

const exportedEndpoint = shownEndpoint
  .omit({
    organizationId: true,
    clientCertificate: true,
    secretVersions: true,
    createdAt: true,
    updatedAt: true,
  })
  .strict()
  .meta({ id: 'ExportedEndpoint' });

/** What an export gives: what people have set, without secrets, and nothing that changes by itself. */
export const exportedConfiguration = z
  .strictObject({
    version: z.literal(1),
    /** Defaults of the endpoints. */
    policy,
    endpoints: z.array(exportedEndpoint),
  })
  .meta({ id: 'Configuration' });

const configuredEndpoint = newEndpoint
  .omit({ secret: true })
  .extend({
    /** Of an endpoint that is there; without it, or where it is unknown, the name tells which one is meant. */
    id: endpointId.exactOptional(),
    /** A secret header without a value keeps the one it has. */
    headers: wantedHeaders.default([]),
  })
  .meta({ id: 'ConfiguredEndpoint' });

/** What an import takes: an export, or what somebody has written by hand. */
export const wantedConfiguration = z
  .strictObject({
    version: z.literal(1),
    /** Without it the organization's stays as it is. */
    policy: policy.exactOptional(),
    endpoints: z.array(configuredEndpoint).max(1_000),
  })
  .meta({ id: 'WantedConfiguration' });

export type ExportedEndpoint = z.output<typeof exportedEndpoint>;
export type ExportedConfiguration = z.output<typeof exportedConfiguration>;
export type ConfiguredEndpoint = z.output<typeof configuredEndpoint>;
export type WantedConfiguration = z.output<typeof wantedConfiguration>;

/** An endpoint as an export shows it. */
export function exported(endpoint: Endpoint): ExportedEndpoint {
  return exportedEndpoint.strip().parse(endpoint);
}

/**
 * The configuration of an organization, always in the same order.
 *
 * @throws Conflict `configuration_too_large`
 */
export function configurationOf({ organization, endpoints }: Subscribers): ExportedConfiguration {
  const whole: ExportedConfiguration = {
    version: 1,
    policy: organization?.policy ?? {},
    endpoints: endpoints.map(exported).toSorted((one, other) => (one.id < other.id ? -1 : 1)),
  };
  if (Buffer.byteLength(JSON.stringify(whole)) > configurationBytesMax) {
    throw new Conflict(
      'configuration_too_large',
      `An export may have ${String(configurationBytesMax)} bytes: list the endpoints instead, page by page.`,
    );
  }
  return whole;
}
