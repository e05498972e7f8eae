/** The form in the body of a request, as API Gateway hands it to an integration. */
export function formOf(request: {
  readonly body: string;
  readonly isBase64Encoded: boolean;
}): URLSearchParams {
  const encoding = request.isBase64Encoded ? 'base64' : 'utf8';
  return new URLSearchParams(Buffer.from(request.body, encoding).toString());
}

/** The scopes that OAuth's parameter `scope` asks for: a list with spaces (RFC 6749, section 3.3). */
export function askedScopes(parameters: URLSearchParams): string[] {
  return (parameters.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
}
