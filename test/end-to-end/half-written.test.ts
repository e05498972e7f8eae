import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsError } from '../../local/aws/aws-error.ts';
import { startTidings } from './tidings.ts';
import type { Tidings } from './tidings.ts';

let tidings: Tidings;
/** Calls of AWS since they were last counted, and the one that fails. */
let calls = 0;
let failing = 0;

beforeAll(async () => {
  tidings = await startTidings({
    beforeCall: () => {
      calls += 1;
      // Not one that the SDK tries again: what it repairs by itself is no test of ours.
      if (calls !== failing) return Promise.resolve();
      return Promise.reject(new AwsError('AccessDeniedException', 'planted'));
    },
  });
});
afterAll(() => tidings.stop());

interface Try {
  readonly status: number;
  /** Whether the call that was to fail was reached. */
  readonly hasFailed: boolean;
}

const headers = [{ name: 'x-api-key', value: 'first', secret: true }];
const url = 'https://localhost:8443/hooks';

/** Secrets whose endpoint there is not, and endpoints without their secret. */
async function halfWritten(organizationId: string): Promise<string[]> {
  const { body } = await tidings.call('GET', `/v1/organizations/${organizationId}/endpoints?limit=250`);
  const ids = body.data.map(({ id }) => id);
  const names = tidings.runtime.aws.secrets
    .all()
    .map(({ name }) => name)
    .filter((name) => name.includes(`/${organizationId}/`));
  const orphans = names.filter((name) => !ids.some((id) => name.includes(id)));
  const unsigned = ids.filter((id) => !names.some((name) => name.endsWith(id)));
  return [...orphans, ...unsigned];
}

async function attempt(number: number, work: () => Promise<{ status: number }>): Promise<Try> {
  calls = 0;
  failing = number;
  const { status } = await work();
  failing = 0;
  return { status, hasFailed: calls >= number };
}

describe('an operation of which one call of AWS fails, each in turn', () => {
  const cases: [string, (path: string, endpointId: string) => Promise<{ status: number }>][] = [
    ['making an endpoint', (path) => tidings.call('POST', path, { body: { url, headers } })],
    [
      'rotating its secret',
      (path, id) => tidings.call('POST', `${path}/${id}/secret/rotate`, { body: { overlapSeconds: 0 } }),
    ],
    [
      'changing its secret header',
      (path, id) =>
        tidings.call('PATCH', `${path}/${id}`, {
          body: { headers: [{ name: 'x-api-key', value: 'second', secret: true }] },
        }),
    ],
    ['removing it', (path, id) => tidings.call('DELETE', `${path}/${id}`)],
  ];

  it.each(cases)('%s leaves nothing half-written, and can be done again', async (name, work) => {
    const statuses: number[] = [];
    for (let number = 1; number < 40; number += 1) {
      const organizationId = await tidings.makeOrganization(
        `org_${name.replaceAll(' ', '_')}_${String(number)}`,
      );
      const path = `/v1/organizations/${organizationId}/endpoints`;
      const { body } = await tidings.call('POST', path, { body: { url, headers } });
      const tried = await attempt(number, () => work(path, body.id));
      if (!tried.hasFailed) break;
      statuses.push(tried.status);
      // A removal that was cut off is the one that must be ended by making the same call again.
      if (name !== 'removing it') expect([number, await halfWritten(organizationId)]).toEqual([number, []]);
      const again = await work(path, body.id);
      expect([200, 201, 204, 404]).toContain(again.status);
      expect([number, await halfWritten(organizationId)]).toEqual([number, []]);
    }
    expect(statuses.length).toBeGreaterThan(3);
    expect(statuses).toContain(500);
  });
});
