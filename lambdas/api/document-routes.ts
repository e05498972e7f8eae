import { jsonObject } from '../shared/json.ts';
import { noBody, noParams, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { z } from 'zod';
import { openApi } from './openapi.ts';
import type { Described } from './openapi.ts';
import { pageHeaders, referencePage } from './reference.ts';

const document = jsonObject.meta({ id: 'Description', description: 'An OpenAPI document.' });

/** The operations that describe all others, and themselves, to tools and to people; they need no token. */
export function documentRoutes(others: readonly Described[]): Route[] {
  let made: object | undefined;
  let page: string | undefined;
  const describing: Route = route({
    method: 'GET',
    path: '/openapi.json',
    operationId: 'getDescription',
    summary: 'This description',
    scope: 'public',
    entitlement: 'none',
    params: noParams,
    query: z.looseObject({}),
    body: noBody,
    answer: { status: 200, schema: document, cacheSeconds: 300 },
    handle: () => Promise.resolve((made ??= openApi([...others, describing, referring]))),
  });
  const referring: Route = route({
    method: 'GET',
    path: '/reference',
    operationId: 'getReference',
    summary: 'This description, as a page to read',
    scope: 'public',
    entitlement: 'none',
    params: noParams,
    query: z.looseObject({}),
    body: noBody,
    answer: {
      status: 200,
      schema: z.string(),
      contentType: 'text/html; charset=utf-8',
      cacheSeconds: 300,
      headers: pageHeaders,
    },
    handle: () => Promise.resolve((page ??= referencePage([...others, describing, referring]))),
  });
  return [describing, referring];
}
