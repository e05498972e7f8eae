/**
 * What the evaluator knows by name: actions, condition keys, services. Whatever a policy says beside is refused when the
 * policy is made, since to pass over it could only be wrong.
 * Source: Service Authorization Reference; of each service what the stack, its stand-ins or their callers use.
 */
const actionsOf: Readonly<Record<string, string>> = {
  dynamodb:
    'BatchGetItem BatchWriteItem ConditionCheckItem CreateTable DeleteItem DescribeTable GetItem ListTables PutItem Query Scan UpdateItem',
  sqs: 'ChangeMessageVisibility DeleteMessage GetQueueAttributes GetQueueUrl ListDeadLetterSourceQueues ListMessageMoveTasks ListQueues CancelMessageMoveTask PurgeQueue ReceiveMessage SendMessage StartMessageMoveTask',
  kms: 'CancelKeyDeletion CreateAlias CreateGrant CreateKey Decrypt DeleteAlias DescribeKey DisableKey EnableKey Encrypt GenerateDataKey GenerateDataKeyWithoutPlaintext GetPublicKey ListAliases ListResourceTags ReEncryptFrom ReEncryptTo ScheduleKeyDeletion Sign TagResource',
  secretsmanager:
    'CreateSecret DeleteSecret DescribeSecret GetSecretValue ListSecrets PutSecretValue RestoreSecret TagResource UpdateSecretVersionStage',
  events: 'PutEvents',
  tag: 'GetResources',
  lambda: 'InvokeFunction InvokeFunctionUrl',
  sns: 'Publish',
  sts: 'AssumeRole',
  logs: 'CreateLogStream DescribeLogStreams PutLogEvents',
  xray: 'PutTelemetryRecords PutTraceSegments',
  ec2: 'AssignPrivateIpAddresses CreateNetworkInterface DeleteNetworkInterface DescribeNetworkInterfaces DescribeSubnets UnassignPrivateIpAddresses',
  // Of the cases by which the evaluator is held against AWS's own examples.
  s3: 'DeleteObject GetObject ListAllMyBuckets ListBucket PutObject',
  iam: 'CreateUser GetUser',
};

/** In lower case, since the names of actions have no case. */
const actions = new Set(
  Object.entries(actionsOf).flatMap(([service, names]) =>
    names.split(' ').map((name) => `${service}:${name}`.toLowerCase()),
  ),
);

/** Principals that are services. */
export const services: ReadonlySet<string> = new Set(
  ['apigateway', 'cloudwatch', 'cognito-idp', 'events', 'lambda', 'vpc-flow-logs'].map(
    (name) => `${name}.amazonaws.com`,
  ),
);

const keys = new Set(
  [
    'aws:PrincipalArn',
    'aws:SecureTransport',
    'aws:SourceAccount',
    'aws:SourceArn',
    'aws:TagKeys',
    'dynamodb:LeadingKeys',
    'kms:CallerAccount',
    'kms:EncryptionContext:aws:dynamodb:tableName',
    'kms:EncryptionContext:aws:events:event-bus:arn',
    'kms:EncryptionContext:aws:lambda:FunctionArn',
    'kms:EncryptionContext:aws:sns:topicArn',
    'kms:EncryptionContext:aws:sqs:arn',
    'kms:EncryptionContext:SecretARN',
    'kms:KeySpec',
    'kms:KeyUsage',
    'kms:MessageType',
    'kms:SigningAlgorithm',
    'kms:ViaService',
    'lambda:FunctionUrlAuthType',
    'lambda:InvokedViaFunctionUrl',
    'lambda:SourceFunctionArn',
    's3:max-keys',
    's3:prefix',
  ].map((key) => key.toLowerCase()),
);

/** With the key of a tag behind the slash. */
const tagKey = /^aws:(principal|request|resource)tag\/.+/i;

export function isKnownKey(key: string): boolean {
  return keys.has(key.toLowerCase()) || tagKey.test(key);
}

export function isKnownAction(action: string): boolean {
  return actions.has(action.toLowerCase());
}

/** Whether a pattern of a policy means any action that is known. */
export function meansAnAction(matches: (action: string) => boolean): boolean {
  return [...actions].some(matches);
}
