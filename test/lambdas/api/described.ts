import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { z } from 'zod';
import { openApi } from '../../../lambdas/api/openapi.ts';
import type { HttpAnswer } from '../../../lambdas/api/problem.ts';
import type { Route } from '../../../lambdas/shared/route.ts';

const content = z.object({
  content: z.record(z.string(), z.object({ schema: z.unknown() })).optional(),
  headers: z.record(z.string(), z.unknown()).optional(),
});
const reference = z.object({ $ref: z.string() });
const operation = z.object({
  requestBody: content.optional(),
  responses: z.record(z.string(), z.union([reference, content])),
});
const documentSchema = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({
    schemas: z.record(z.string(), z.unknown()),
    responses: z.record(z.string(), content),
  }),
});

type Described = z.output<typeof documentSchema>;

let described: Described | undefined;
const validators = new Map<string, ValidateFunction>();
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);

/** An exchange with the API. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly answer: HttpAnswer;
}

/**
 * Holds an exchange against the description that the API gives of itself.
 *
 * @throws Error for an answer that is not described, and for a request that is described as wrong and was taken.
 */
export function checkAsDescribed(routes: readonly Route[], { method, path, body, answer }: Exchange): void {
  described ??= documentSchema.parse(openApi(routes));
  const at = pathOf(described, path);
  const name = `${method} ${at ?? 'nowhere'}`;
  const asked = method === 'HEAD' ? 'get' : method.toLowerCase();
  const own = at === undefined ? undefined : described.paths[at]?.[asked];
  if (method === 'HEAD' && answer.body === '') return;
  // What is nowhere is answered as everything that is not there.
  if (own === undefined) {
    expectValid(`${name}: ${answer.statusCode}`, problemSchema, JSON.parse(answer.body));
    return;
  }
  const response = responseOf(described, own.responses[answer.statusCode]);
  if (response === undefined) throw new Error(`${name} answers ${answer.statusCode}, which is not described`);
  const named = new Set(
    [...ofEveryAnswer, ...Object.keys(response.headers ?? {})].map((one) => one.toLowerCase()),
  );
  const secret = Object.keys(answer.headers).filter((one) => !named.has(one.toLowerCase()));
  if (secret.length > 0) throw new Error(`${name} has the headers ${secret.join()}, which are not described`);
  const type = answer.headers['content-type'];
  if (type === undefined) {
    if (response.content !== undefined) throw new Error(`${name} answers without the body that is described`);
  } else {
    const shown = response.content?.[type];
    if (shown === undefined) throw new Error(`${name} answers with ${type}, which is not described`);
    const value: unknown = /^application\/(problem\+)?json$/.test(type)
      ? JSON.parse(answer.body)
      : answer.body;
    expectValid(`${name}: ${answer.statusCode}`, shown.schema, value);
  }
  const wanted = own.requestBody?.content?.['application/json'];
  if (answer.statusCode < 400 && body !== undefined && wanted !== undefined)
    expectValid(`${name}: the request`, wanted.schema, body);
}

/** OpenAPI has the first elsewhere; the others say nothing of the operation. */
const ofEveryAnswer = ['content-type', 'cache-control', 'x-content-type-options', 'x-request-id'];

function responseOf(
  { components }: Described,
  response: z.output<typeof operation>['responses'][string] | undefined,
): z.output<typeof content> | undefined {
  if (response === undefined || !('$ref' in response)) return response;
  return components.responses[response.$ref.replace('#/components/responses/', '')];
}

const problemSchema = { $ref: '#/components/schemas/Problem' };

/** The path of the description that a request's path is one of; words win over parameters. */
function pathOf({ paths }: Described, path: string): string | undefined {
  const given = path.split('/');
  return Object.keys(paths)
    .filter((one) => {
      const parts = one.split('/');
      return (
        parts.length === given.length &&
        parts.every((part, index) => part.startsWith('{') || part === given[index])
      );
    })
    .toSorted((one, other) => one.split('{').length - other.split('{').length)[0];
}

function expectValid(name: string, schema: unknown, value: unknown): void {
  const validator = validators.get(name) ?? compile(schema);
  validators.set(name, validator);
  if (!validator(value)) throw new Error(`${name} is not as described: ${ajv.errorsText(validator.errors)}`);
}

function compile(schema: unknown): ValidateFunction {
  return ajv.compile({ allOf: [schema], components: described?.components });
}
