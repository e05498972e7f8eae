import type { Recorded } from '../../local/permissions/record.ts';
import type { Grant } from './grants.ts';
import type { Tried } from './statements.ts';

/** Grants that no test uses, and why they are there all the same: a new line here is a decision. */
export interface Reason {
  readonly policy: RegExp;
  readonly actions: readonly string[];
  readonly resource?: RegExp;
  readonly because: string;
}

export const reasons: readonly Reason[] = [
  {
    policy: /^StorageKey/,
    actions: ['kms:Encrypt', 'kms:ReEncrypt*'],
    because: 'CDK grants EventBridge, whose rules have encrypted targets, all that may be done with a key',
  },
  {
    policy: /^IngestEvents(Falling)?Policy/,
    actions: ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl'],
    because: 'CDK grants them to whatever may send',
  },
  {
    policy: /^(Recovery|Delivery|Routing)\w+RoleDefaultPolicy/,
    actions: ['sqs:ChangeMessageVisibility', 'sqs:GetQueueUrl'],
    because: 'CDK grants them to whatever may receive',
  },
  {
    policy: /^(TesterTest|ExpiryWarn)RoleDefaultPolicy/,
    actions: ['kms:GenerateDataKey'],
    because:
      'DynamoDB’s pages ask it of whoever writes into a table with a key of one’s own; no record shows the call',
  },
  {
    policy: /^RecoveryRecoverRoleDefaultPolicy/,
    actions: ['dynamodb:UpdateItem'],
    because:
      'a drain whose endpoint is deleted meanwhile: the simulator asks it (test/lib/permitted.test.ts)',
  },
  {
    policy: /^TesterTestRoleDefaultPolicy/,
    actions: ['dynamodb:GetItem'],
    resource: /StorageLedger/,
    because: 'whether a record was written whose answer was lost (test/contracts/record.test.ts)',
  },
  {
    policy: /^CanaryCanarySendRoleDefaultPolicy/,
    actions: ['dynamodb:GetItem'],
    because: 'whether the canary’s endpoint was written whose answer was lost',
  },
  {
    policy: /^CanaryCanarySendRoleDefaultPolicy/,
    actions: ['dynamodb:DeleteItem', 'secretsmanager:DeleteSecret'],
    because: 'takes back an endpoint of the canary that could not be written',
  },
];

export function reasonFor({ policy, action, resource }: Grant): Reason | undefined {
  return reasons.find(
    (one) =>
      one.policy.test(policy) && one.actions.includes(action) && (one.resource?.test(resource) ?? true),
  );
}

/** Statements without which nothing changes. */
export function reasonWhyNeedless({ policy }: Pick<Tried, 'policy'>): string | undefined {
  const isOfRoute = /^ApiHttp(ANY|GET)\w+Permission/.test(policy);
  return isOfRoute
    ? 'CDK lets the route $default call the function from any route of the API, so each other permission is within it'
    : undefined;
}

/** Refusals that a test looks for; that it sees no others the test itself says. */
export function expectedRefusal({ by }: Recorded & { readonly by: string }): boolean {
  return by.endsWith('/test/end-to-end/permissions.test.ts');
}
