import { describe, expect, it } from 'vitest';
import { contextOf } from '../../../local/permissions/evaluator/condition.ts';
import { judge } from '../../../local/permissions/evaluator/judge.ts';
import { statementsOf } from '../../../local/permissions/evaluator/policy.ts';
import type { Principal } from '../../../local/permissions/evaluator/policy.ts';

const account = '111122223333';
const role: Principal = {
  kind: 'role',
  account,
  arn: `arn:aws:iam::${account}:role/Reader`,
  session: `arn:aws:sts::${account}:assumed-role/Reader/one`,
};
const root = `arn:aws:iam::${account}:root`;
const key = `arn:aws:kms:us-east-1:${account}:key/1234`;
const queue = `arn:aws:sqs:us-east-1:${account}:orders`;
const object = 'arn:aws:s3:::bucket/folder/file';

interface Case {
  readonly identity?: readonly object[];
  readonly resource?: readonly object[];
  readonly action?: string;
  readonly on?: string;
  readonly by?: Principal;
  readonly context?: Readonly<Record<string, string | readonly string[]>>;
}

const policy = (Statement: readonly object[]) => ({ Version: '2012-10-17', Statement });
const allow = (more: object = {}) => ({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', ...more });
const deny = (more: object = {}) => ({ ...allow(more), Effect: 'Deny' });
const onlyIf = (Condition: object) => [allow({ Condition })];

/** `allowed`, or why not. */
function answerTo({ identity = [], resource = [], by = role, ...asked }: Case): string {
  const { action = 's3:GetObject', on = object, context = {} } = asked;
  const judgement = judge(
    { principal: by, action, resource: on, context: contextOf(context) },
    {
      identity: by.kind === 'role' ? statementsOf('identity', policy(identity)) : [],
      resource: resource.length === 0 ? [] : statementsOf('resource', policy(resource), on),
      isKey: on === key,
    },
  );
  return judgement.isAllowed ? 'allowed' : judgement.why;
}

const deniedByIdentity = 'with an explicit deny in an identity-based policy';
const deniedByResource = 'with an explicit deny in a resource-based policy';
const noIdentity = 'because no identity-based policy allows';
const noResource = 'because no resource-based policy allows';

type Row = readonly [string, Case, string];

/** Each says which page of AWS's documentation describes the rule; the cases are our own. */
const documented: Readonly<Record<string, readonly Row[]>> = {
  'IAM user guide, "Policy evaluation logic"': [
    ['nothing is allowed by default', {}, noIdentity],
    ['an allow allows', { identity: [allow()] }, 'allowed'],
    ['a deny outdoes any allow, whatever their order', { identity: [deny(), allow()] }, deniedByIdentity],
    [
      'a deny of the resource outdoes an allow of the identity',
      { identity: [allow()], resource: [deny({ Principal: '*' })] },
      deniedByResource,
    ],
    [
      'within an account an allow of the resource that names the role is enough',
      { resource: [allow({ Principal: { AWS: role.arn } })] },
      'allowed',
    ],
    [
      'and one that names its session',
      { resource: [allow({ Principal: { AWS: role.session } })] },
      'allowed',
    ],
    [
      'one that names the account leaves it to the policies of identities',
      { resource: [allow({ Principal: { AWS: root } })] },
      noIdentity,
    ],
    [
      'a service has no policies of identities',
      { by: { kind: 'service', name: 'events.amazonaws.com' }, on: queue, action: 'sqs:SendMessage' },
      noResource,
    ],
  ],
  'IAM user guide, "IAM JSON policy elements: Action" and "NotAction"': [
    ['* is all actions', { identity: [allow({ Action: '*' })] }, 'allowed'],
    ['a wildcard stands for a part of the name', { identity: [allow({ Action: 's3:Get*' })] }, 'allowed'],
    ['and for no other', { identity: [allow({ Action: 's3:Put*' })] }, noIdentity],
    ['neither service nor action has a case', { identity: [allow({ Action: 'S3:getobject' })] }, 'allowed'],
    [
      'NotAction is all but those',
      { identity: [allow({ Action: undefined, NotAction: 's3:DeleteObject' })] },
      'allowed',
    ],
    ['and not those', { identity: [allow({ Action: undefined, NotAction: ['s3:*', 'iam:*'] })] }, noIdentity],
    [
      'a deny of NotAction leaves what it names to the allows',
      { identity: [allow(), deny({ Action: undefined, NotAction: 's3:GetObject' })] },
      'allowed',
    ],
  ],
  'IAM user guide, "IAM JSON policy elements: Resource" and "NotResource"': [
    ['the very ARN', { identity: [allow({ Resource: object })] }, 'allowed'],
    ['another ARN', { identity: [allow({ Resource: 'arn:aws:s3:::bucket/other' })] }, noIdentity],
    ['* goes over slashes', { identity: [allow({ Resource: 'arn:aws:s3:::bucket/*' })] }, 'allowed'],
    ['? is one character', { identity: [allow({ Resource: 'arn:aws:s3:::bucket/folder/fil?' })] }, 'allowed'],
    ['and not two', { identity: [allow({ Resource: 'arn:aws:s3:::bucket/folder/fi?' })] }, noIdentity],
    [
      'a wildcard does not leave its part between colons',
      {
        identity: [allow({ Action: 'sqs:*', Resource: 'arn:aws:sqs:*:orders' + ':x' })],
        on: queue,
        action: 'sqs:SendMessage',
      },
      noIdentity,
    ],
    [
      'but may take the whole of one',
      {
        identity: [allow({ Action: 'sqs:*', Resource: 'arn:aws:sqs:*:*:orders' })],
        on: queue,
        action: 'sqs:SendMessage',
      },
      'allowed',
    ],
    [
      'NotResource is all but those',
      { identity: [allow(), deny({ Resource: undefined, NotResource: 'arn:aws:s3:::bucket/*' })] },
      'allowed',
    ],
    [
      'so a deny of all others is one',
      { identity: [allow(), deny({ Resource: undefined, NotResource: 'arn:aws:s3:::other/*' })] },
      deniedByIdentity,
    ],
  ],
  'IAM user guide, "IAM JSON policy elements: Principal"': [
    ['* is anybody', { resource: [allow({ Principal: '*' })], by: { kind: 'anybody' } }, 'allowed'],
    ['as is AWS: *', { resource: [allow({ Principal: { AWS: '*' } })], by: { kind: 'anybody' } }, 'allowed'],
    [
      'a service by its name',
      {
        by: { kind: 'service', name: 'events.amazonaws.com' },
        resource: [allow({ Action: 'sqs:SendMessage', Principal: { Service: 'events.amazonaws.com' } })],
        ...{ on: queue, action: 'sqs:SendMessage' },
      },
      'allowed',
    ],
    [
      'and not another service',
      {
        by: { kind: 'service', name: 'cloudwatch.amazonaws.com' },
        resource: [allow({ Action: 'sqs:SendMessage', Principal: { Service: 'events.amazonaws.com' } })],
        ...{ on: queue, action: 'sqs:SendMessage' },
      },
      noResource,
    ],
    ['the account by its number', { resource: [deny({ Principal: { AWS: account } })] }, deniedByResource],
    [
      'another account’s role is nobody here',
      { resource: [allow({ Principal: { AWS: 'arn:aws:iam::999999999999:role/Reader' } })] },
      noIdentity,
    ],
  ],
  'IAM user guide, "IAM JSON policy elements: Condition operators"': [
    [
      'StringEquals',
      { identity: onlyIf({ StringEquals: { 's3:prefix': 'a' } }), context: { 's3:prefix': 'a' } },
      'allowed',
    ],
    [
      'has a case',
      { identity: onlyIf({ StringEquals: { 's3:prefix': 'a' } }), context: { 's3:prefix': 'A' } },
      noIdentity,
    ],
    [
      'StringEqualsIgnoreCase has none',
      { identity: onlyIf({ StringEqualsIgnoreCase: { 's3:prefix': 'a' } }), context: { 's3:prefix': 'A' } },
      'allowed',
    ],
    [
      'names of keys have none',
      { identity: onlyIf({ StringEquals: { 'S3:PREFIX': 'a' } }), context: { 's3:prefix': 'a' } },
      'allowed',
    ],
    [
      'one of several values',
      { identity: onlyIf({ StringEquals: { 's3:prefix': ['b', 'a'] } }), context: { 's3:prefix': 'a' } },
      'allowed',
    ],
    [
      'a key that is absent is not equal',
      { identity: onlyIf({ StringEquals: { 's3:prefix': 'a' } }) },
      noIdentity,
    ],
    [
      'IfExists: unless it is absent',
      { identity: onlyIf({ StringEqualsIfExists: { 's3:prefix': 'a' } }) },
      'allowed',
    ],
    [
      'IfExists: but not if it is another',
      { identity: onlyIf({ StringEqualsIfExists: { 's3:prefix': 'a' } }), context: { 's3:prefix': 'b' } },
      noIdentity,
    ],
    [
      'a key that is absent is unequal',
      { identity: onlyIf({ StringNotEquals: { 's3:prefix': 'a' } }) },
      'allowed',
    ],
    [
      'unequal to each of several',
      { identity: onlyIf({ StringNotEquals: { 's3:prefix': ['a', 'b'] } }), context: { 's3:prefix': 'b' } },
      noIdentity,
    ],
    [
      'StringLike',
      { identity: onlyIf({ StringLike: { 's3:prefix': 'home/*' } }), context: { 's3:prefix': 'home/a/b' } },
      'allowed',
    ],
    [
      'StringNotLike',
      { identity: onlyIf({ StringNotLike: { 's3:prefix': 'home/*' } }), context: { 's3:prefix': 'home/a' } },
      noIdentity,
    ],
    [
      'Bool',
      {
        identity: onlyIf({ Bool: { 'aws:SecureTransport': true } }),
        context: { 'aws:SecureTransport': 'true' },
      },
      'allowed',
    ],
    [
      'Bool of a key that is absent',
      { identity: onlyIf({ Bool: { 'aws:SecureTransport': 'false' } }) },
      noIdentity,
    ],
    ['Null true: it must be absent', { identity: onlyIf({ Null: { 's3:prefix': 'true' } }) }, 'allowed'],
    ['Null false: it must be there', { identity: onlyIf({ Null: { 's3:prefix': 'false' } }) }, noIdentity],
    [
      'NumericLessThanEquals',
      {
        identity: onlyIf({ NumericLessThanEquals: { 's3:max-keys': '10' } }),
        context: { 's3:max-keys': '9' },
      },
      'allowed',
    ],
    [
      'and no text order',
      { identity: onlyIf({ NumericLessThan: { 's3:max-keys': 10 } }), context: { 's3:max-keys': '90' } },
      noIdentity,
    ],
    [
      'ArnLike part by part',
      {
        identity: onlyIf({ ArnLike: { 'aws:SourceArn': 'arn:aws:sqs:*:*:orders' } }),
        context: { 'aws:SourceArn': queue },
      },
      'allowed',
    ],
    [
      'ArnEquals does the same',
      {
        identity: onlyIf({ ArnEquals: { 'aws:SourceArn': 'arn:aws:sqs:*:*:ord*' } }),
        context: { 'aws:SourceArn': queue },
      },
      'allowed',
    ],
    [
      'all keys and operators of a block must hold',
      {
        identity: onlyIf({ StringEquals: { 's3:prefix': 'a' }, Bool: { 'aws:SecureTransport': 'true' } }),
        context: { 's3:prefix': 'a', 'aws:SecureTransport': 'false' },
      },
      noIdentity,
    ],
  ],
  'IAM user guide, "Set operators for multivalued context keys"': [
    [
      'ForAllValues: each is one of them',
      {
        identity: onlyIf({ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a', 'b'] } }),
        context: { 'aws:TagKeys': ['a'] },
      },
      'allowed',
    ],
    [
      'ForAllValues: one that is none',
      {
        identity: onlyIf({ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a'] } }),
        context: { 'aws:TagKeys': ['a', 'c'] },
      },
      noIdentity,
    ],
    [
      'ForAllValues holds for no values at all',
      { identity: onlyIf({ 'ForAllValues:StringEquals': { 'aws:TagKeys': 'a' } }) },
      'allowed',
    ],
    [
      'which is why Null stands beside it',
      {
        identity: onlyIf({
          'ForAllValues:StringEquals': { 'aws:TagKeys': 'a' },
          Null: { 'aws:TagKeys': 'false' },
        }),
      },
      noIdentity,
    ],
    [
      'ForAnyValue: one is one of them',
      {
        identity: onlyIf({ 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'a' } }),
        context: { 'aws:TagKeys': ['c', 'a'] },
      },
      'allowed',
    ],
    [
      'ForAnyValue does not hold for no values',
      { identity: onlyIf({ 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'a' } }) },
      noIdentity,
    ],
  ],
  'KMS developer guide, "Default key policy"': [
    [
      'without the key’s own policy an allow of the identity counts for nothing',
      { identity: [allow({ Action: 'kms:Decrypt' })], on: key, action: 'kms:Decrypt' },
      noResource,
    ],
    [
      'the key leaves it to the account, whose role is allowed',
      {
        identity: [allow({ Action: 'kms:Decrypt' })],
        resource: [allow({ Action: 'kms:*', Principal: { AWS: root } })],
        ...{ on: key, action: 'kms:Decrypt' },
      },
      'allowed',
    ],
    [
      'or is not',
      { resource: [allow({ Action: 'kms:*', Principal: { AWS: root } })], on: key, action: 'kms:Decrypt' },
      noIdentity,
    ],
    [
      'a role that the key names needs no policy of its own',
      {
        resource: [allow({ Action: 'kms:Decrypt', Principal: { AWS: role.arn } })],
        on: key,
        action: 'kms:Decrypt',
      },
      'allowed',
    ],
  ],
};

describe.each(Object.entries(documented))('%s', (_source, rows) => {
  it.each(rows)('%s', (_rule, given, expected) => {
    expect(answerTo(given)).toBe(expected);
  });
});

describe('what the evaluator does not know it never passes over', () => {
  it.each<[string, Case]>([
    ['an action of a policy', { identity: [allow({ Action: 's3:GetObjects' })] }],
    ['a pattern that means no action', { identity: [allow({ Action: 'glacier:*' })] }],
    ['an action that is asked for', { identity: [allow({ Action: '*' })], action: 's3:Teleport' }],
    ['a condition operator', { identity: onlyIf({ DateLessThan: { 'aws:TokenIssueTime': '2026-01-01' } }) }],
    ['an operator with a typing error', { identity: onlyIf({ StringEqual: { 's3:prefix': 'a' } }) }],
    ['a condition key', { identity: onlyIf({ StringEquals: { 'aws:Mood': 'good' } }) }],
    [
      'several values where the policy expects one',
      { identity: onlyIf({ StringEquals: { 's3:prefix': 'a' } }), context: { 's3:prefix': ['a', 'b'] } },
    ],
    ['a policy variable', { identity: [allow({ Resource: 'arn:aws:s3:::bucket/${aws:username}' })] }],
    ['a resource that is no ARN', { identity: [allow({ Resource: 'bucket' })] }],
    ['a service', { resource: [allow({ Principal: { Service: 'event.amazonaws.com' } })] }],
    ['a principal', { resource: [allow({ Principal: { AWS: 'arn:aws:iam::111122223333:user/ann' } })] }],
    ['a kind of principal', { resource: [allow({ Principal: { Federated: 'accounts.example' } })] }],
    ['an element', { identity: [allow({ NotPrincipal: '*' })] }],
    ['a policy of an identity that names a principal', { identity: [allow({ Principal: '*' })] }],
    ['a policy of a resource that names none', { resource: [allow()] }],
  ])('%s throws', (_what, given) => {
    expect(() => answerTo(given)).toThrow();
  });
});
