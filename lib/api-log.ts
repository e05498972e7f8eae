import { Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { nameOf } from './settings.ts';

/**
 * What the gateway says of each request: an HTTP API has its path in `path` (`resourcePath` is a REST API's), and why an
 * authorizer or an integration refused in variables of their own. No header and no query: these may hold secrets.
 */
const fields: Readonly<Record<string, string>> = {
  requestId: 'requestId',
  requestTime: 'requestTime',
  sourceIp: 'identity.sourceIp',
  method: 'httpMethod',
  path: 'path',
  routeKey: 'routeKey',
  status: 'status',
  responseLength: 'responseLength',
  responseLatency: 'responseLatency',
  error: 'error.message',
  errorType: 'error.responseType',
  authorizerError: 'authorizer.error',
  integrationStatus: 'integrationStatus',
  integrationError: 'integrationErrorMessage',
};

/**
 * The access log of the API. By its name: any other group of a gateway is named in a policy of the account, which holds
 * 5,120 characters and so a few APIs only. The name ends with a part of the stack's own id: the group stays when the stack
 * goes, and a stack of the same stage could not make it again.
 */
export function accessLog(scope: Construct, stage: string): apigateway.IAccessLogSettings {
  // arn:aws:cloudformation:<region>:<account>:stack/<name>/<id, of which the first of five parts>
  const stackId = Fn.select(0, Fn.split('-', Fn.select(2, Fn.split('/', Stack.of(scope).stackId))));
  const logGroup = new LogGroup(scope, 'AccessLog', {
    logGroupName: `/aws/vendedlogs/${nameOf(stage, 'api')}-${stackId}`,
    retention: RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  });
  const format = Object.fromEntries(
    Object.entries(fields).map(([name, variable]) => [name, `$context.${variable}`]),
  );
  return {
    destination: new apigateway.LogGroupLogDestination(logGroup),
    format: AccessLogFormat.custom(JSON.stringify(format)),
  };
}
