import { ESLint, Linter } from 'eslint';
import { describe, expect, it } from 'vitest';
import tseslint from 'typescript-eslint';

/** What the project's own rules of syntax say of a text, were it in that file. */
async function faultsOf(filePath: string, text: string): Promise<readonly string[]> {
  const { rules } = (await new ESLint().calculateConfigForFile(filePath)) as { rules: Linter.RulesRecord };
  const own = { 'no-restricted-syntax': rules['no-restricted-syntax'] ?? 'off' } as const;
  const parser = tseslint.parser as Linter.Parser;
  const config = { files: ['**/*.ts'], languageOptions: { parser }, rules: own };
  return new Linter().verify(text, config, 'a.ts').map((fault) => fault.message);
}

const places = [
  'lambdas/delivery/handler.ts',
  'lambdas/signing/keys.ts',
  'lambdas/shared/store.ts',
  'bin/reconcile/place.ts',
  'bin/reconcile.ts',
  'lib/storage.ts',
];
const withoutLimit = [
  "import { SQSClient } from '@aws-sdk/client-sqs';",
  "import { SQSClient as Queue } from '@aws-sdk/client-sqs';",
  "import { type Message, SQS } from '@aws-sdk/client-sqs';",
  "import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';",
  "import * as sqs from '@aws-sdk/client-sqs';",
  "export { SQSClient } from '@aws-sdk/client-sqs';",
  "export * from '@aws-sdk/client-sqs';",
  "const { SQSClient } = await import('@aws-sdk/client-sqs');",
  'export const client = new KMSClient({});',
  'export const client = new kms.KMSClient({});',
];
const within = [
  "import type { SQSClient } from '@aws-sdk/client-sqs';",
  "import { type SQSClient, SendMessageBatchCommand } from '@aws-sdk/client-sqs';",
  "import { NotFoundException } from '@aws-sdk/client-kms';",
];

describe('a client without a limit of time does not pass the lint', () => {
  it.each(places)('in %s', async (place) => {
    for (const text of withoutLimit) {
      const faults = await faultsOf(place, text);
      expect(faults.join(), text).toContain('lambdas/shared/clients.ts');
    }
  });

  it('and what is no client does, as do all in the one place where they are made', async () => {
    for (const text of within) expect(await faultsOf('lambdas/signing/keys.ts', text), text).toEqual([]);
    for (const text of withoutLimit) expect(await faultsOf('lambdas/shared/clients.ts', text)).toEqual([]);
  });

  it('a default export does not pass either, where clients are made or not', async () => {
    for (const place of [...places, 'lambdas/shared/clients.ts', 'local/start.ts']) {
      expect(await faultsOf(place, 'export default 1;')).toHaveLength(1);
    }
  });
});
