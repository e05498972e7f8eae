import { Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { HandlerFunction } from './handler-function.ts';

/** Tags on every signing key; as in lambdas/signing/keys.ts. */
const keyTag = 'tidings:stage';
const organizationTag = 'tidings:organization';

const usage = 'kms:KeyUsage';

/**
 * Signing keys are made while the product runs, one or two per organization: policies know them by their tag. Each
 * grant says for which deployment, and for what use.
 */
export function allowSigning(signer: HandlerFunction, stage: string): void {
  allowOnKeys(signer, ['kms:Sign'], {
    StringEquals: {
      [`aws:ResourceTag/${keyTag}`]: stage,
      'kms:SigningAlgorithm': ['ECDSA_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_256'],
      'kms:MessageType': 'DIGEST',
    },
  });
}

/** Making keys and reading their public halves; not signing. */
export function allowMakingKeys(maker: HandlerFunction, stage: string): void {
  const tagged = { [`aws:RequestTag/${keyTag}`]: stage };
  maker.addToRolePolicy(
    new PolicyStatement({
      actions: ['kms:CreateKey'],
      // A key that does not exist yet has no ARN.
      resources: ['*'],
      conditions: { StringEquals: { ...tagged, [usage]: 'SIGN_VERIFY' } },
    }),
  );
  // IAM cannot say "only as it is made". Of a key to be made nothing may be known yet; of one that is there the use is, and
  // whose it is: or the tag might be put on a key of another kind or stage, which could then be destroyed.
  allowOnKeys(maker, ['kms:TagResource'], {
    StringEquals: tagged,
    'ForAllValues:StringEquals': { 'aws:TagKeys': [keyTag, organizationTag] },
    StringEqualsIfExists: { [usage]: 'SIGN_VERIFY', [`aws:ResourceTag/${keyTag}`]: stage },
  });
  // Not by the tag: it counts after up to five minutes, and the key has just been made. Public halves are no secret.
  allowOnKeys(maker, ['kms:GetPublicKey'], { StringEqualsIfExists: { [usage]: 'SIGN_VERIFY' } });
  acknowledge(
    maker,
    'Resource::*',
    'CreateKey has no resource to name; the tag of this deployment is required.',
  );
}

/** Finding the keys of this deployment, and destroying those that have retired or that nobody knows of. */
export function allowDestroyingKeys(keeper: HandlerFunction, stage: string): void {
  allowOnKeys(keeper, ['kms:DescribeKey', 'kms:ScheduleKeyDeletion'], {
    StringEquals: { [`aws:ResourceTag/${keyTag}`]: stage },
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
  conditions: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>,
): void {
  const key = Stack.of(handler).formatArn({ service: 'kms', resource: 'key', resourceName: '*' });
  handler.addToRolePolicy(
    new PolicyStatement({
      actions: [...actions],
      resources: [key],
      conditions: { ...conditions },
    }),
  );
  acknowledge(
    handler,
    'Resource::arn:<AWS::Partition>:kms:<AWS::Region>:<AWS::AccountId>:key/*',
    'Keys are made while the product runs; what is done to them stands under the tag of this deployment and stage, but for reading public halves, which are no secret.',
  );
}

function acknowledge(handler: HandlerFunction, finding: string, reason: string): void {
  if (handler.role === undefined) return;
  Validations.of(handler.role).acknowledge({ id: `AwsSolutions::AwsSolutions-IAM5[${finding}]`, reason });
}
