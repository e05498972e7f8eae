import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { rowOf } from '../../local/demo/table.ts';

const line = {
  message: 'delivery.attempted',
  endpointId: 'ep_1',
  eventType: 'pipeline.run.failed',
  attempt: 2,
  outcome: 'retry',
  code: 'http_503',
  statusCode: 503,
  durationMs: 12.4,
};

it('an attempt is a row of the table', () => {
  const row = stripVTControlCharacters(rowOf(JSON.stringify(line), () => 'flaky') ?? '');
  expect(row).toMatch(/^\d\d:\d\d:\d\d {2}pipeline\.run\.failed +flaky +#2 +retry http_503 +12$/);
});

it('every other line is none', () => {
  for (const text of ['not json', '{}', JSON.stringify({ ...line, message: 'event.routed' })]) {
    expect(rowOf(text, () => 'x')).toBeUndefined();
  }
});
