import { ArnFormat, Stack, Validations } from 'aws-cdk-lib';
import type { HandlerFunction } from './handler-function.ts';

/** Grants actions on every secret below a prefix of the deployment's own. */
export function allowSecrets(reader: HandlerFunction, prefix: string, actions: readonly string[]): void {
  const resource = Stack.of(reader).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${prefix}/*`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  reader.allow(actions, resource);
  if (reader.role === undefined) return;
  Validations.of(reader.role).acknowledge({
    id: `AwsSolutions::AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:${prefix}/*]`,
    reason:
      'Secrets are made while the product runs, one per endpoint, and their ARNs end in six random characters; ' +
      'the prefix is named for this deployment and stage only.',
  });
}
