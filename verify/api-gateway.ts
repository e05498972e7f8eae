import type { HeaderRecord, WebhookRequest } from './request.ts';

/**
 * The members needed of a Lambda event: of an HTTP API, a REST API, a function URL or a load balancer. The types of
 * `@types/aws-lambda` fit.
 */
export interface ApiGatewayEvent {
  readonly body?: string | null | undefined;
  readonly isBase64Encoded?: boolean | undefined;
  readonly headers?: HeaderRecord | null | undefined;
  readonly multiValueHeaders?: HeaderRecord | null | undefined;
}

/**
 * A Lambda event as a request to verify. API Gateway hands some bodies over in base64, depending on the content
 * type and on the API's settings: what was signed are the bytes within.
 */
export function fromApiGateway(event: ApiGatewayEvent): WebhookRequest {
  const body = event.body ?? '';
  return {
    body: event.isBase64Encoded === true ? Buffer.from(body, 'base64') : body,
    // `headers` of a REST API keeps only the last of a header that came twice; this one tells.
    headers: event.multiValueHeaders ?? event.headers ?? {},
  };
}
