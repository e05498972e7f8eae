import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { openApi } from '../../../lambdas/api/openapi.ts';
import { aService } from './a-service.ts';

type Responses = Record<string, { content?: object; headers?: object } | undefined>;

const { routes, ask } = aService();
const document = JSON.parse(JSON.stringify(openApi(routes))) as {
  paths: Record<
    string,
    Record<string, { operationId: string; security: object[]; parameters: object[]; responses: Responses }>
  >;
};
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));

describe('the description of the API', () => {
  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
  });

  it('holds every operation once', () => {
    expect(operations.map(({ operationId }) => operationId).toSorted()).toEqual(
      routes.map(({ operationId }) => operationId).toSorted(),
    );
  });

  it('names the scope of each, and of no public one', () => {
    const scopeOf = new Map(routes.map(({ operationId, scope }) => [operationId, scope]));
    for (const { operationId, security } of operations) {
      const scope = scopeOf.get(operationId);
      expect(security).toEqual(scope === 'public' ? [] : [{ bearer: [scope] }]);
    }
  });

  it('has a parameter for every name in a path', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters } of Object.values(methods)) {
        const inPath = parameters.filter((one) => 'in' in one && one.in === 'path');
        expect(inPath.map((one) => ('name' in one ? one.name : ''))).toEqual(names);
      }
    }
  });

  it('says of each what API Gateway answers in its place, and the id of the request in every other answer', () => {
    for (const { responses, security } of operations) {
      expect(Object.keys(responses['503']?.content ?? {})).toEqual(['application/json']);
      expect(responses['401'] !== undefined).toBe(security.length > 0);
      expect(Object.keys(responses['404']?.content ?? {})).toEqual(['application/problem+json']);
      expect(responses['404']?.headers).toMatchObject({ 'x-request-id': { required: true } });
    }
  });

  it('is a page to read, too, with every operation, and holds no script', async () => {
    const { statusCode, headers, body } = await ask({ method: 'GET', path: '/reference', claims: null });
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    for (const { operationId, path } of routes) {
      expect(body).toContain(`<section id="${operationId}">`);
      expect(body).toContain(path);
    }
    expect(body).toContain('policy.retry.maximumAttempts');
    expect(body).not.toMatch(/<script|src=|javascript:/);
  });

  it('is served to anybody, and may be kept for five minutes', async () => {
    const { statusCode, headers, body } = await ask({ method: 'GET', path: '/openapi.json', claims: null });
    expect(statusCode).toBe(200);
    expect(headers['cache-control']).toBe('public, max-age=300');
    expect(JSON.parse(body)).toEqual(document);
  });
});
