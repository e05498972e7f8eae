import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as cognito from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/** Who signs the bearer tokens: the issuer named in the settings, or a Cognito user pool of the stack's. */
export class Identity extends Construct {
  public readonly issuer: string;
  public readonly audience: string;

  public constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    if (settings.issuer !== undefined && settings.audience !== undefined) {
      this.issuer = settings.issuer;
      this.audience = settings.audience;
      return;
    }
    const pool = new cognito.UserPool(this, 'Users', {
      signInAliases: { email: true },
      selfSignUpEnabled: false,
      passwordPolicy: {
        minLength: 12,
        requireDigits: true,
        requireLowercase: true,
        requireUppercase: true,
        requireSymbols: true,
      },
      mfa: cognito.Mfa.REQUIRED,
      mfaSecondFactor: { sms: false, otp: true },
      customAttributes: { organizationId: new cognito.StringAttribute({ mutable: true }) },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(pool).acknowledge({
      id: 'AwsSolutions::AwsSolutions-COG8',
      reason:
        'The plus plan is billed per user: a deployment that wants its threat protection names its own issuer.',
    });
    const client = pool.addClient('Console', {
      authFlows: { userSrp: true },
      disableOAuth: true,
      // Whose organization a user belongs to is for the operator to say.
      writeAttributes: new cognito.ClientAttributes().withStandardAttributes({ email: true }),
      preventUserExistenceErrors: true,
    });
    this.issuer = `https://cognito-idp.${Stack.of(this).region}.amazonaws.com/${pool.userPoolId}`;
    this.audience = client.userPoolClientId;
  }
}
