import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';

/** The permission to invoke is for a path, whatever the method: that of its GET holds for its HEAD. */
export class PermittedAlready extends HttpLambdaIntegration {
  protected override completeBind(): void {
    // Adds that permission a second time.
  }
}
