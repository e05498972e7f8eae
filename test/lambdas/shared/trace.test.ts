import { describe, expect, it } from 'vitest';
import { traceHeader, traceId, withinTrace } from '../../../lambdas/shared/trace.ts';

const id = '1-5759e988-bd862e3fe1be46a994272793';
const header = `Root=${id};Parent=53995c3f42cd8ad8;Sampled=1`;

describe('a trace', () => {
  it('is that of the work, however long it takes, and of no other', async () => {
    const other = header.replace('5759e988', '00000000');
    const seen = await Promise.all(
      [header, other, undefined].map((one) =>
        withinTrace(one, async () => {
          await new Promise((resolve) => setImmediate(resolve));
          return traceHeader();
        }),
      ),
    );
    expect(seen).toEqual([header, other, undefined]);
    expect(withinTrace(header, traceId)).toBe(id);
    expect(traceId()).toBeUndefined();
  });

  it('is gone on with by work that has none of its own', () => {
    expect(withinTrace(header, () => withinTrace(undefined, traceId))).toBe(id);
  });

  it.each([
    ['fields that Lambda adds', `${header};Lineage=1:abcdef01:0`, header],
    ['another order', `Sampled=0;Root=${id}`, `Root=${id};Sampled=0`],
    [
      'what is not decided yet',
      `Root=${id};Parent=53995c3f42cd8ad8;Sampled=?`,
      `Root=${id};Parent=53995c3f42cd8ad8`,
    ],
    ['a Root that is none', 'Root=1-2-3;Sampled=1', undefined],
    ['a traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', undefined],
    ['nothing', '', undefined],
    ['a line break', `Root=${id}\nx;Sampled=1`, undefined],
  ])('is read strictly: %s', (_what, given, expected) => {
    expect(withinTrace(given, traceHeader)).toBe(expected);
  });
});
