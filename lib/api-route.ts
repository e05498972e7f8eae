import type * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { Bounded } from './api-bounds.ts';

/** A route that takes a bearer token. */
export interface ServedRoute {
  readonly method: apigateway.HttpMethod;
  readonly path: string;
  readonly bounded: Bounded;
}

/** A route that takes none, and why that is right. */
export interface PublicRoute {
  readonly id: string;
  readonly bounded: Bounded;
  readonly reason: string;
  readonly method?: apigateway.HttpMethod;
}

/** The permission to invoke is for a path, whatever the method: that of its GET holds for its HEAD. */
export class PermittedAlready extends HttpLambdaIntegration {
  protected override completeBind(): void {
    // Adds that permission a second time.
  }
}
