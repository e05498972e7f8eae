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
 * 5,120 characters and so a few APIs only.
 */
export function accessLog(scope: Construct, stage: string): apigateway.IAccessLogSettings {
  const logGroup = new LogGroup(scope, 'AccessLog', {
    logGroupName: `/aws/vendedlogs/${nameOf(stage, 'api')}`,
    retention: RetentionDays.ONE_MONTH,
  });
  const format = Object.fromEntries(
    Object.entries(fields).map(([name, variable]) => [name, `$context.${variable}`]),
  );
  return {
    destination: new apigateway.LogGroupLogDestination(logGroup),
    format: AccessLogFormat.custom(JSON.stringify(format)),
  };
}
