import { z } from 'zod';
import type { LocalFunction } from '../function.ts';
import type { Maker } from './create.ts';
import type { HttpApiOptions } from './http-api.ts';
import { ignored } from './property.ts';

/** A user pool as far as tokens depend on it; the users themselves are made up by whoever asks for a token. */
export interface UserPool {
  readonly id: string;
  readonly region: string;
  /** Asked before every token what it shall say. */
  readonly completeToken: Pick<LocalFunction, 'invoke'>;
  readonly clients: readonly PoolClient[];
}

export interface PoolClient {
  readonly id: string;
  readonly name: string | undefined;
  readonly hasSecret: boolean;
  /** Scopes that the client may ask for. */
  readonly scopes: readonly string[];
  readonly flows: readonly string[];
  /** Where the sign-in page may lead back to. */
  readonly callbackUrls: readonly string[];
}

/** The pool of the template, if it has one, with its clients. */
export class UserPools {
  public readonly makers: Readonly<Record<string, Maker>>;
  readonly #clients: PoolClient[] = [];
  #pool: UserPool | undefined;

  public constructor({ place: { region, accountId }, functionByArn, hops }: HttpApiOptions) {
    this.makers = {
      'AWS::Cognito::UserPool': (logicalId, properties) => {
        const { LambdaConfig } = pool.parse(properties);
        const id = `${region}_${logicalId}`;
        const arn = `arn:aws:cognito-idp:${region}:${accountId}:userpool/${id}`;
        const made = functionByArn(LambdaConfig.PreTokenGenerationConfig.LambdaArn);
        const completeToken = {
          invoke: async (event: unknown) => {
            hops.serviceInvokes('cognito-idp', arn, made.arn);
            return made.invoke(event);
          },
        };
        this.#pool = { id, region, completeToken, clients: this.#clients };
        return { ref: id, attributes: { Arn: arn } };
      },
      'AWS::Cognito::UserPoolClient': (logicalId, properties) => {
        const wanted = client.parse(properties);
        const id = logicalId.toLowerCase();
        this.#clients.push({
          id,
          name: wanted.ClientName,
          hasSecret: wanted.GenerateSecret,
          scopes: wanted.AllowedOAuthScopes,
          flows: wanted.AllowedOAuthFlows,
          callbackUrls: wanted.CallbackURLs,
        });
        return { ref: id };
      },
      'AWS::Cognito::UserPoolResourceServer': (_logicalId, properties) => ({
        ref: resourceServer.parse(properties).Identifier,
      }),
      'AWS::Cognito::UserPoolDomain': (_logicalId, properties) => ({ ref: domain.parse(properties).Domain }),
      'AWS::Cognito::UserPoolGroup': (_logicalId, properties) => ({ ref: group.parse(properties).GroupName }),
      'AWS::Cognito::ManagedLoginBranding': (logicalId) => ({ ref: logicalId }),
    };
  }

  /** Undefined where the settings name another issuer. */
  public pool(): UserPool | undefined {
    return this.#pool;
  }
}

const pool = z.looseObject({
  LambdaConfig: z.strictObject({
    PreTokenGenerationConfig: z.strictObject({ LambdaArn: z.string(), LambdaVersion: z.literal('V3_0') }),
  }),
});

const client = z.strictObject({
  ClientName: z.string().optional(),
  GenerateSecret: z.boolean().default(false),
  AllowedOAuthFlows: z.array(z.string()).default([]),
  AllowedOAuthScopes: z.array(z.string()).default([]),
  AllowedOAuthFlowsUserPoolClient: ignored,
  CallbackURLs: z.array(z.string()).default([]),
  ExplicitAuthFlows: ignored,
  LogoutURLs: ignored,
  PreventUserExistenceErrors: ignored,
  SupportedIdentityProviders: ignored,
  UserPoolId: ignored,
  WriteAttributes: ignored,
});

const resourceServer = z.looseObject({ Identifier: z.string() });
const domain = z.looseObject({ Domain: z.string() });
const group = z.looseObject({ GroupName: z.string() });
