import { z } from 'zod';
import { anOrganization } from '../../../fakes/an-organization.ts';
import { memoryConfiguration } from '../../../fakes/configuration.ts';
import { aService } from '../../api/a-service.ts';
import type { Service, Wish } from '../../api/a-service.ts';

const organization = '/v1/organizations/org_1';

/** The API with an organization that has no endpoints yet. */
export function aWorld(given: Parameters<typeof aService>[0] = {}): Service {
  const configuration = given.configuration ?? memoryConfiguration();
  const service = aService({ ...given, configuration });
  configuration.setOrganization(anOrganization());
  return service;
}

export const secretHeader = { name: 'x-api-key', value: 'planted-value', secret: true };

/** An entry of a configuration, with no more than it needs. */
export function entry(name: string, given: object = {}): object {
  return { name, url: `https://${name}.example.com/hook`, ...given };
}

export function configuration(...endpoints: readonly object[]): { version: 1; endpoints: readonly object[] } {
  return { version: 1, endpoints };
}

const imported = z.object({
  dryRun: z.boolean(),
  isComplete: z.boolean(),
  policyChanges: z.array(z.unknown()),
  endpoints: z.array(
    z.object({
      id: z.string().optional(),
      name: z.string().optional(),
      outcome: z.string(),
      changes: z
        .array(z.object({ field: z.string(), before: z.unknown().optional(), after: z.unknown().optional() }))
        .optional(),
      secret: z.string().optional(),
      problem: z.object({ code: z.string() }).optional(),
    }),
  ),
});

export type Imported = z.output<typeof imported>;

export function ask(service: Service, body: unknown, given: Omit<Wish, 'path'> = {}) {
  return service.ask({ method: 'PUT', path: `${organization}/import`, body, ...given });
}

/** Imports what must be taken. */
export async function importInto(
  service: Service,
  body: unknown,
  given: Omit<Wish, 'path'> = {},
): Promise<Imported> {
  const answer = await ask(service, body, given);
  if (answer.statusCode !== 200) throw new Error(answer.body);
  return imported.parse(JSON.parse(answer.body));
}

/** What an import said, as `name outcome`. */
export function saidOf({ endpoints }: Imported): string[] {
  return endpoints.map(({ id = '', name = id, outcome }) => `${name} ${outcome}`);
}

const exported = z.object({
  version: z.literal(1),
  policy: z.unknown(),
  endpoints: z.array(z.looseObject({ id: z.string() })),
});

export async function exportOf(service: Service) {
  const answer = await service.ask({ path: `${organization}/export` });
  return {
    etag: answer.headers['etag'] ?? '',
    body: answer.body,
    document: exported.parse(JSON.parse(answer.body)),
  };
}

/** All that a change could leave: what is stored, secrets, entries of the audit. */
export async function stateOf(service: Service): Promise<string> {
  const { organization: own, endpoints } = await service.configuration.readSubscribers('org_1');
  const audit = await service.audit.list('org_1', { limit: 250 });
  const secrets = [...service.secrets.secrets].map(([name, versions]) => [name, [...versions]]);
  return JSON.stringify({ own, endpoints, secrets, audit: audit.data });
}
