import { Validations } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Construct } from 'constructs';
import type { HandlerFunction } from './handler-function.ts';

/**
 * Whatever no other route takes is answered by the function, as a problem with a request id: what API Gateway says by
 * itself, `{"message":"Not Found"}`, no client of ours can read. Below `/v1` a token is asked for before, and its 401 is
 * the gateway's: an HTTP API lets nobody change that. The function serves nothing here but HEAD of the
 * description and its page, as a request without an authorizer has no claims.
 */
export function restRoute(
  scope: Construct,
  httpApi: apigateway.HttpApi,
  handler: HandlerFunction,
): apigateway.HttpRoute {
  const route = new apigateway.HttpRoute(scope, 'Rest', {
    httpApi,
    routeKey: apigateway.HttpRouteKey.DEFAULT,
    integration: new HttpLambdaIntegration('Rest', handler),
  });
  Validations.of(route).acknowledge({
    id: 'AwsSolutions::AwsSolutions-APIG4',
    reason: 'It answers that there is nothing: 404 to everybody, and 401 where a token is lacking.',
  });
  return route;
}
