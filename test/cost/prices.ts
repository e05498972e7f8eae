interface Price {
  /** Dollars for one. */
  readonly usd: number;
  readonly of: string;
  readonly source: string;
}

const list = 'copy of the AWS Price List, September 2026';
const lists = 'lists of others than AWS, 2026';

/**
 * What AWS asks in us-east-1, without free tiers. No price was read from a bill: hold them against the price pages of
 * AWS before publishing a figure that follows from them.
 */
export const prices = {
  sqsRequest: { usd: 0.4e-6, of: 'SQS request, for each 64 KB of it', source: lists },
  fairRequest: {
    usd: 0.1e-6,
    of: 'SQS request of a fair queue, added to it; whether of sends only could not be verified: here of all',
    source: `${list} (2025), ${lists}`,
  },
  invocation: { usd: 0.2e-6, of: 'Lambda invocation', source: list },
  gbSecond: { usd: 13.3334e-6, of: 'Lambda GB-second, arm64', source: list },
  readUnit: {
    usd: 0.125e-6,
    of: 'DynamoDB read request unit on demand: 4 KB, half of it when eventually consistent',
    source: list,
  },
  writeUnit: { usd: 0.625e-6, of: 'DynamoDB write request unit on demand: 1 KB', source: list },
  logByte: {
    usd: 0.5e-9,
    of: 'CloudWatch Logs, byte taken in',
    source: 'an article on the tiers of May 2025',
  },
  kmsKeyMonth: { usd: 1, of: 'KMS key, month', source: lists },
  kmsRequest: { usd: 3e-6, of: 'KMS request, symmetric', source: lists },
  alarmMetricMonth: { usd: 0.1, of: 'CloudWatch alarm, metric and month', source: 'common knowledge' },
  dashboardMonth: { usd: 3, of: 'CloudWatch dashboard, month', source: 'common knowledge' },
} as const satisfies Readonly<Record<string, Price>>;
