import { jsonObject } from '../shared/json.ts';
import { noBody, noParams, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { z } from 'zod';
import { openApi } from './openapi.ts';
import type { Described } from './openapi.ts';

/** The operation that describes all others, and itself; needs no token, as it says nothing of anybody. */
export function documentRoutes(others: readonly Described[]): Route[] {
  let document: object | undefined;
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
    answer: { status: 200, schema: jsonObject, cacheSeconds: 300 },
    handle: () => Promise.resolve((document ??= openApi([...others, describing]))),
  });
  return [describing];
}
