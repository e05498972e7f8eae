import type { Organization } from '../../organization/organization.ts';
import type { Difference } from '../../shared/difference.ts';
import { Conflict, Refusal } from '../../shared/errors.ts';
import { nameOfFault } from '../../shared/log.ts';
import type { Log } from '../../shared/log.ts';
import { nothing } from '../../shared/route.ts';
import type { Audited } from '../../shared/route.ts';
import { isoTimeAfter } from '../../shared/time.ts';
import { show } from '../endpoint.ts';
import type { Endpoint } from '../endpoint.ts';
import { endWaiting, followSwitchingOn } from '../health/resume.ts';
import type { ResumePorts } from '../health/resume.ts';
import { carryOut, make } from '../register.ts';
import type { RegisterPorts } from '../register.ts';
import { unregister } from '../unregister.ts';
import type { ConfiguredEndpoint } from './configuration.ts';
import type { Plan, PlannedEndpoint } from './plan-import.ts';

export interface ImportPorts {
  readonly registration: RegisterPorts;
  readonly resumption: ResumePorts;
  readonly forgetHealth: (endpointId: string) => Promise<void>;
  readonly replaceOrganization: (before: Organization, after: Organization) => Promise<boolean>;
  readonly log: Log;
}

/** What became of one endpoint of an import. */
export interface EndpointOutcome {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  /** `pending` is left for the next import of the same configuration. */
  readonly outcome: PlannedEndpoint['outcome'] | 'pending' | 'failed';
  readonly changes?: Difference[] | undefined;
  /** Of one that was added: shown this once. */
  readonly secret?: string | undefined;
  readonly problem?: { readonly code: string; readonly detail: string } | undefined;
}

/** A change takes up to eight calls of AWS, and the function has half a minute for all. */
const changesMax = 200;
const atOnce = 10;

/** What an import would do, as it is shown. */
export function outcomeOf(planned: PlannedEndpoint): EndpointOutcome {
  const { outcome } = planned;
  const { id, name } = outcome === 'added' ? { ...planned.wanted, id: undefined } : planned.before;
  return { id, name, outcome, ...(outcome === 'changed' ? { changes: [...planned.changes] } : {}) };
}

/**
 * Carries out an import. What fails is said of its endpoint and stops no other: secrets that were made are shown this
 * once, whatever happened to the rest.
 */
export async function carryOutImport(
  ports: ImportPorts,
  { endpoints, organization }: Plan,
  audited: Audited,
): Promise<EndpointOutcome[]> {
  const changing = endpoints.filter(({ outcome }) => outcome !== 'unchanged' && outcome !== 'unlisted');
  const [todo, pending] = [changing.slice(0, changesMax), new Set(changing.slice(changesMax))];
  const done = new Map<PlannedEndpoint, EndpointOutcome>();
  for (let from = 0; from < todo.length; from += atOnce) {
    await Promise.all(
      todo.slice(from, from + atOnce).map(async (planned) => {
        done.set(planned, await attempt(ports, planned, { organizationId: organization.id, audited }));
      }),
    );
  }
  return endpoints.map((planned) => {
    const outcome = done.get(planned) ?? outcomeOf(planned);
    // What it would change is shown when it is changed, or by a dry run.
    return pending.has(planned) ? { id: outcome.id, name: outcome.name, outcome: 'pending' } : outcome;
  });
}

interface Circumstances {
  readonly organizationId: string;
  readonly audited: Audited;
}

async function attempt(
  ports: ImportPorts,
  planned: PlannedEndpoint,
  circumstances: Circumstances,
): Promise<EndpointOutcome> {
  try {
    return { ...outcomeOf(planned), ...(await perform(ports, planned, circumstances)) };
  } catch (fault) {
    if (fault instanceof Refusal) return failed(planned, fault.code, fault.message);
    ports.log('import.endpoint_failed', {
      organizationId: circumstances.organizationId,
      endpointId: outcomeOf(planned).id,
      fault: nameOfFault(fault),
    });
    return failed(planned, 'internal_error', againAnew);
  }
}

/** The key gives the same answer again, with the secrets in it; with another one the same document goes on. */
const againAnew =
  'Something of ours failed: import the same again, with a new Idempotency-Key if you gave one.';

function failed(planned: PlannedEndpoint, code: string, detail: string): EndpointOutcome {
  return { ...outcomeOf(planned), outcome: 'failed', problem: { code, detail } };
}

async function perform(
  ports: ImportPorts,
  planned: PlannedEndpoint,
  { organizationId, audited }: Circumstances,
): Promise<Pick<EndpointOutcome, 'id' | 'secret'>> {
  const { registration } = ports;
  if (planned.outcome === 'added') {
    const { endpoint, secret } = await audited(
      undefined,
      () => make(registration, organizationId, planned.wanted),
      (made) => show(made.endpoint),
    );
    return { id: endpoint.id, secret };
  }
  const { before } = planned;
  if (planned.outcome === 'removed') {
    await audited(show(before), () => unregister(registration, before, ports.forgetHealth), nothing);
  }
  if (planned.outcome === 'changed') {
    const change = { before, changed: endpointAfter(before, planned.wanted) };
    const after = await audited(
      show(before),
      () => carryOut(registration, change, planned.wanted.headers),
      show,
    );
    if (after.active && !before.active) await followSwitchingOn(ports.resumption, after);
    if (!after.active && before.active) await endWaiting(ports.resumption, after);
  }
  return {};
}

/** As the configuration describes it, with what no configuration says. */
function endpointAfter(before: Endpoint, wanted: ConfiguredEndpoint): Endpoint {
  const { id, organizationId, clientCertificate, secretVersions, createdAt, updatedAt, headers } = before;
  return {
    ...wanted,
    ...{ id, organizationId, secretVersions, createdAt, updatedAt, headers },
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
  };
}

/**
 * Gives an organization the defaults of an import.
 *
 * @throws Conflict `changed_meanwhile`
 */
export async function replacePolicy(
  { replaceOrganization, registration }: ImportPorts,
  before: Organization,
  after: Organization,
): Promise<Organization> {
  const written = { ...after, updatedAt: isoTimeAfter(before.updatedAt, registration.now()) };
  if (await replaceOrganization(before, written)) return written;
  throw new Conflict('changed_meanwhile', 'Somebody else has just changed this organization: try again.');
}
