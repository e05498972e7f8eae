import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { traceOf } from '../../../lambdas/routing/of-nobody.ts';
import { aBusEvent } from '../../fakes/a-bus-event.ts';
import { aRouting } from './a-routing.ts';

const data = { card: 'PLANTED' };
const withDetail = (detail: unknown) => ({ ...aBusEvent(), detail });

describe('an event of nobody leaves a trace by which its producer is found', () => {
  test.each([
    ['no organizationId', { data }, 'detail.organizationId is missing'],
    ['organisationId', { organisationId: 'org_1', data }, 'missing, but there is detail.organisationId'],
    ['organization_id', { organization_id: 'org_1', data }, 'missing, but there is detail.organization_id'],
    ['a number', { organizationId: 5, data }, 'detail.organizationId is no text'],
    ['nothing', { organizationId: null, data }, 'detail.organizationId is no text'],
    ['what is no id', { organizationId: 'PLANTED one', data }, 'is no id of an organization'],
    ['no detail', undefined, 'it has no detail'],
  ])('%s: it vanished, or filled the log with fifty lines', async (_what, detail, problem) => {
    const routing = aRouting();
    await routing.publish(withDetail(detail));
    await routing.settle();
    expect(routing.dead()).toHaveLength(1);
    const [line, ...others] = routing.journal.lines;
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      message: 'event.refused',
      fields: { code: 'malformed_event', source: 'acme.pipelines', eventType: 'pipeline.run.failed' },
    });
    expect(line?.fields['problem']).toContain(problem);
    expect(JSON.stringify(line)).not.toContain('PLANTED');
  });

  test('also of an organization that does not exist', async () => {
    const routing = aRouting();
    await routing.publish(aBusEvent({ detail: { organizationId: 'org_none' } }));
    await routing.settle();
    expect(routing.journal.lines).toMatchObject([
      { fields: { code: 'unknown_organization', organizationId: 'org_none', source: 'acme.pipelines' } },
    ]);
  });

  test('whatever it is, and nothing that it says', () => {
    fc.assert(
      fc.property(fc.anything(), (event) => {
        expect(typeof traceOf(event)['problem']).toBe('string');
        expect(JSON.stringify(traceOf(withDetail({ PLANTED: event, data: event })))).not.toContain('PLANTED');
      }),
    );
  });
});
