import { z } from 'zod';
import type { Route } from '../gateway-routes.ts';
import type { Expected } from '../identity.ts';
import type { LocalFunction } from '../function.ts';
import type { Hops } from '../permissions/hops.ts';
import type { Maker, Place } from './create.ts';
import { ignored } from './property.ts';

export interface HttpApiOptions {
  readonly place: Place;
  readonly functionByArn: (arn: string) => LocalFunction;
  readonly hops: Pick<Hops, 'serviceInvokes'>;
}

/** The HTTP API with its routes, and who signs the tokens that they ask for. */
export class HttpApi {
  public readonly makers: Readonly<Record<string, Maker>>;
  readonly #options: HttpApiOptions;
  readonly #integrations = new Map<string, LocalFunction>();
  readonly #authorizers = new Map<string, Expected>();
  readonly #routes: Route[] = [];

  public constructor(options: HttpApiOptions) {
    this.#options = options;
    this.makers = this.#apiMakers();
  }

  public routes(): readonly Route[] {
    return this.#routes;
  }

  /** What the first authorizer of the template expects of a token. */
  public tokens(): Expected {
    const [first] = this.#authorizers.values();
    if (first === undefined) throw new Error('The template has no authorizer: nobody could be let in');
    return first;
  }

  #apiMakers(): Readonly<Record<string, Maker>> {
    return {
      'AWS::ApiGatewayV2::Api': (logicalId, properties) => {
        api.parse(properties);
        return { ref: logicalId };
      },
      'AWS::ApiGatewayV2::Stage': (_logicalId, properties) => ({ ref: stage.parse(properties).StageName }),
      'AWS::ApiGatewayV2::Integration': (logicalId, properties) => {
        const { IntegrationUri: arn } = integration.parse(properties);
        this.#integrations.set(`integrations/${logicalId}`, this.#options.functionByArn(arn));
        return { ref: logicalId };
      },
      'AWS::ApiGatewayV2::Authorizer': (logicalId, properties) => {
        const { Issuer: issuer, Audience: audiences } = authorizer.parse(properties).JwtConfiguration;
        this.#authorizers.set(logicalId, { issuer, audiences });
        return { ref: logicalId };
      },
      'AWS::ApiGatewayV2::Route': (logicalId, properties) => {
        this.#addRoute(route.parse(properties));
        return { ref: logicalId };
      },
    };
  }

  #addRoute(wanted: z.output<typeof route>): void {
    const key = wanted.RouteKey;
    // Two HTTP APIs of one template would share this gateway, which is wrong as soon as their routes meet.
    if (this.#routes.some((one) => one.key === key)) throw new Error(`There is a route ${key} already`);
    const target = known(this.#integrations, wanted.Target);
    const sourceArn = this.#arnOf(wanted);
    const invoke = (event: unknown) => {
      this.#options.hops.serviceInvokes('apigateway', sourceArn, target.arn);
      return target.invoke(event);
    };
    if (wanted.AuthorizationType === 'NONE') {
      this.#routes.push({ key, invoke });
      return;
    }
    const expected = known(this.#authorizers, wanted.AuthorizerId ?? '');
    this.#routes.push({ key, invoke, authorizer: { ...expected, scopes: wanted.AuthorizationScopes } });
  }

  /** Whom API Gateway names as the source when it calls the function of a route. */
  #arnOf({ ApiId, RouteKey }: z.output<typeof route>): string {
    const { region, accountId } = this.#options.place;
    const path = RouteKey === '$default' ? '$default' : RouteKey.replace(' ', '');
    return `arn:aws:execute-api:${region}:${accountId}:${ApiId}/$default/${path}`;
  }
}

function known<T>(all: ReadonlyMap<string, T>, id: string): T {
  const one = all.get(id);
  if (one === undefined) throw new Error(`There is no ${id}`);
  return one;
}

const api = z.strictObject({ Name: ignored, Description: ignored, ProtocolType: z.literal('HTTP') });

const stage = z.strictObject({
  ApiId: ignored,
  // Any other stage would stand in front of every path.
  StageName: z.literal('$default'),
  AutoDeploy: z.literal(true),
  AccessLogSettings: ignored,
  DefaultRouteSettings: ignored,
  RouteSettings: ignored,
});

const integration = z.strictObject({
  ApiId: ignored,
  IntegrationType: z.literal('AWS_PROXY'),
  IntegrationUri: z.string(),
  PayloadFormatVersion: z.literal('2.0'),
});

const authorizer = z.strictObject({
  ApiId: ignored,
  Name: ignored,
  AuthorizerType: z.literal('JWT'),
  IdentitySource: z.tuple([z.literal('$request.header.Authorization')]),
  JwtConfiguration: z.strictObject({ Issuer: z.string(), Audience: z.array(z.string()) }),
});

const route = z.strictObject({
  ApiId: z.string(),
  RouteKey: z.string(),
  Target: z.string(),
  AuthorizationType: z.enum(['NONE', 'JWT']).default('NONE'),
  AuthorizerId: z.string().optional(),
  AuthorizationScopes: z.array(z.string()).default([]),
});
