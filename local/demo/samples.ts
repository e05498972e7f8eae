const samples: readonly (readonly [
  type: string,
  resource: string,
  data: Readonly<Record<string, unknown>>,
])[] = [
  ['pipeline.run.started', 'pipeline/42', { pipeline: 'nightly-orders' }],
  ['orchestration.job.queued', 'job/7', { queue: 'default' }],
  ['pipeline.run.failed', 'pipeline/42', { pipeline: 'nightly-orders', error: 'SCHEMA_MISMATCH' }],
  ['security.api_key.created', 'api-key/a1', { createdBy: 'ada@example.com' }],
  ['governance.contract.violated', 'contract/orders', { column: 'amount', rule: 'not_null' }],
  ['pipeline.run.succeeded', 'pipeline/43', { pipeline: 'hourly-clicks', rows: 18_204 }],
];

/** One entry of `PutEvents` without its bus; the number picks the sample. */
export function sampleEvent(organizationId: string, number: number) {
  const [type, resource, data] = samples[number % samples.length] ?? [
    'pipeline.run.started',
    'pipeline/1',
    {},
  ];
  const detail = { organizationId, resource, data: { ...data, runId: number + 1 } };
  return { Source: 'demo.producer', DetailType: type, Detail: JSON.stringify(detail) };
}
