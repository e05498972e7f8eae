import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { until } from '../../local/demo/steps.ts';
import { signInByPage } from './sign-in-page.ts';

/** What no client of the project's speaks to: a few calls to MiniStack, by hand. */

const scopeOf = (service: string) =>
  `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;

/** @throws Error with the answer unless it is a 200. */
async function answerOf(response: Response, what: string): Promise<string> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${what}: ${response.status} ${text.slice(0, 500)}`);
  return text;
}

const signedIn = z.object({ AuthenticationResult: z.object({ AccessToken: z.string() }) });

export interface User {
  readonly email: string;
  readonly group: string;
  readonly organizationId?: string;
}

/**
 * Makes a user of the stack's pool, as the README says it, and has him sign in; programs cannot be: MiniStack tells the
 * function that completes tokens nothing of a client's scopes. Its sign-in page waits for that function and answers
 * nobody meanwhile, the function's own read of a table neither: so only who is of no organization signs in there.
 *
 * @returns the access token
 */
export async function tokenOf(
  endpoint: string,
  { email, group, organizationId }: User,
  outputs: Readonly<Record<string, string>>,
): Promise<string> {
  const UserPoolId = outputs['UserPoolId'];
  const own = { UserPoolId, Username: email };
  const Password = `Aa1!${randomUUID()}`;
  const ask = async (action: string, body: object): Promise<unknown> => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        authorization: scopeOf('cognito-idp'),
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `AWSCognitoIdentityProviderService.${action}`,
      },
      body: JSON.stringify(body),
    });
    return JSON.parse(await answerOf(response, action));
  };
  const attributes = {
    email,
    email_verified: 'true',
    ...(organizationId === undefined ? {} : { 'custom:organizationId': organizationId }),
  };
  await ask('AdminCreateUser', {
    ...own,
    MessageAction: 'SUPPRESS',
    UserAttributes: Object.entries(attributes).map(([Name, Value]) => ({ Name, Value })),
  });
  await ask('AdminSetUserPassword', { ...own, Password, Permanent: true });
  await ask('AdminAddUserToGroup', { ...own, GroupName: group });
  if (organizationId !== undefined) {
    const answer = await ask('AdminInitiateAuth', {
      UserPoolId,
      ClientId: outputs['TokenAudience'],
      AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
      AuthParameters: { USERNAME: email, PASSWORD: Password },
    });
    return signedIn.parse(answer).AuthenticationResult.AccessToken;
  }
  const { pathname, search } = new URL(outputs['SignInUrl'] ?? '');
  return signInByPage(endpoint + pathname + search, { username: email, password: Password });
}

const queueShape = z.looseObject({
  QueueName: z.string(),
  RedrivePolicy: z
    .object({
      maxReceiveCount: z.number(),
      deadLetterTargetArn: z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }),
    })
    .optional(),
});
export const templateShape = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).optional() }),
  ),
});

/**
 * MiniStack drops the redrive policies of a template: they are set afterwards, from the same template.
 *
 * @param anyQueueUrl of a queue of the stack
 */
export async function setRedrive(
  sqs: SQSClient,
  { Resources }: z.output<typeof templateShape>,
  anyQueueUrl: string,
): Promise<void> {
  const queues = new Map(
    Object.entries(Resources)
      .filter(([, { Type }]) => Type === 'AWS::SQS::Queue')
      .map(([id, { Properties }]) => [id, queueShape.parse(Properties)]),
  );
  const folder = anyQueueUrl.slice(0, anyQueueUrl.lastIndexOf('/'));
  const account = folder.slice(folder.lastIndexOf('/') + 1);
  for (const { QueueName, RedrivePolicy } of queues.values()) {
    if (RedrivePolicy === undefined) continue;
    const dead = queues.get(RedrivePolicy.deadLetterTargetArn['Fn::GetAtt'][0]);
    const deadLetterTargetArn = `arn:aws:sqs:us-east-1:${account}:${dead?.QueueName ?? ''}`;
    const policy = JSON.stringify({ maxReceiveCount: RedrivePolicy.maxReceiveCount, deadLetterTargetArn });
    const Attributes = { RedrivePolicy: policy };
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: `${folder}/${QueueName}`, Attributes }));
  }
}

/** Deletes the stack as `cdk destroy` would: MiniStack does not find it by the ARN that the CDK names. */
export async function deleteStack(endpoint: string, name: string): Promise<void> {
  const ask = (Action: string) =>
    fetch(endpoint, {
      method: 'POST',
      headers: { authorization: scopeOf('cloudformation') },
      body: new URLSearchParams({ Action, StackName: name, Version: '2010-05-15' }),
    });
  await answerOf(await ask('DeleteStack'), 'the deletion');
  await until(
    'the stack deleted',
    async () => deletionOf(await (await ask('DescribeStacks')).text()),
    60_000,
  );
}

/** True when a stack is gone, undefined while it goes. @throws Error when it stays. */
function deletionOf(description: string): true | undefined {
  if (description.includes('DELETE_FAILED')) {
    throw new Error(`the stack is not deleted: ${description.slice(0, 500)}`);
  }
  return /does not exist|DELETE_COMPLETE/.test(description) ? true : undefined;
}
