import { Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { HandlerFunction } from './handler-function.ts';

/** Tag on every signing key; as in lambdas/signing/keys.ts. */
const keyTag = 'tidings:stage';

/**
 * Signing keys are made while the product runs, one or two per organization: policies know them by their tag. Each
 * grant says for which deployment, and for what use.
 */
export function allowSigning(signer: HandlerFunction, stage: string): void {
  allowOnKeys(signer, ['kms:Sign'], {
    [`aws:ResourceTag/${keyTag}`]: stage,
    'kms:SigningAlgorithm': ['ECDSA_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_256'],
    'kms:MessageType': 'DIGEST',
  });
}

/** Making keys and reading their public halves; not signing. */
export function allowMakingKeys(maker: HandlerFunction, stage: string): void {
  maker.addToRolePolicy(
    new PolicyStatement({
      actions: ['kms:CreateKey', 'kms:TagResource'],
      // A key that does not exist yet has no ARN.
      resources: ['*'],
      // By the use, or it might put the tag on a key of another kind, which could then be destroyed.
      conditions: {
        StringEquals: { [`aws:RequestTag/${keyTag}`]: stage, 'kms:KeyUsage': 'SIGN_VERIFY' },
      },
    }),
  );
  allowOnKeys(maker, ['kms:GetPublicKey'], { [`aws:ResourceTag/${keyTag}`]: stage });
  acknowledge(
    maker,
    'Resource::*',
    'CreateKey has no resource to name; the tag of this deployment is required.',
  );
}

/** Finding the keys of this deployment, and destroying those that have retired or that nobody knows of. */
export function allowDestroyingKeys(keeper: HandlerFunction, stage: string): void {
  allowOnKeys(keeper, ['kms:DescribeKey', 'kms:ScheduleKeyDeletion'], {
    [`aws:ResourceTag/${keyTag}`]: stage,
  });
  keeper.addToRolePolicy(new PolicyStatement({ actions: ['tag:GetResources'], resources: ['*'] }));
  acknowledge(
    keeper,
    'Resource::*',
    'GetResources has no resource to name; it reads tags, and asks for those of this deployment.',
  );
}

function allowOnKeys(
  handler: HandlerFunction,
  actions: readonly string[],
  conditions: Readonly<Record<string, string | readonly string[]>>,
): void {
  const key = Stack.of(handler).formatArn({ service: 'kms', resource: 'key', resourceName: '*' });
  handler.addToRolePolicy(
    new PolicyStatement({
      actions: [...actions],
      resources: [key],
      conditions: { StringEquals: conditions },
    }),
  );
  acknowledge(
    handler,
    'Resource::arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*',
    'Keys are made while the product runs; the condition on their tag names this deployment and stage only.',
  );
}

function acknowledge(handler: HandlerFunction, finding: string, reason: string): void {
  if (handler.role === undefined) return;
  Validations.of(handler.role).acknowledge({ id: `AwsSolutions::AwsSolutions-IAM5[${finding}]`, reason });
}
