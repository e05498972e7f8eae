import { z } from 'zod';
import { NotFound } from '../shared/errors.ts';
import { organizationId } from '../shared/identifier.ts';
import { pageOf } from '../shared/page.ts';
import { noBody, noQuery, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { readKeys, rotateRead } from './rotate-keys.ts';
import type { KeyPorts } from './rotate-keys.ts';
import { keyAlgorithm, keySetOf, keyState, publishedJwk, signingKey, stateOf } from './signing-key.ts';
import type { SigningKey } from './signing-key.ts';

const params = z.strictObject({ organizationId });
const path = '/v1/organizations/{organizationId}/signing-keys';

const shownKey = signingKey
  .omit({ keyId: true, organizationId: true })
  .extend({ state: keyState })
  .meta({ id: 'SigningKey' });

/** A week: longer than any receiver caches a key set. */
const secondsMax = 604_800;

const rotation = z
  .strictObject({
    /** Signing costs $15.00 per million with ES256 and $3.00 with RS256, whose tokens are half as long again. */
    algorithm: keyAlgorithm.default('ES256'),
    leadSeconds: z.number().int().min(0).max(secondsMax).default(86_400),
    overlapSeconds: z.number().int().min(0).max(secondsMax).default(86_400),
  })
  .meta({ id: 'SigningKeyRotation' });

const keySet = z.strictObject({ keys: z.array(publishedJwk) }).meta({ id: 'KeySet' });

/** The operations on the keys by which an organization's webhooks are signed with the scheme `jwt`. */
export function signingRoutes(ports: KeyPorts): Route[] {
  return [listRoute(ports), rotateRoute(ports), keySetRoute(ports)];
}

function show(keys: readonly SigningKey[], nowMs: number) {
  const shown = keys.map((key) => shownKey.parse({ ...key, state: stateOf(key, keys, nowMs) }));
  return { data: shown.toSorted((a, b) => b.publishedAt.localeCompare(a.publishedAt)), nextCursor: null };
}

function listRoute({ keys, now }: KeyPorts): Route {
  return route({
    method: 'GET',
    path,
    operationId: 'listSigningKeys',
    summary: 'Signing keys, the youngest first: which is in use, which is next, which is on its way out',
    scope: 'webhooks:read',
    entitlement: 'read',
    params,
    query: noQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(shownKey) },
    handle: async ({ params }) => show(await keys.list(params.organizationId), now()),
  });
}

function rotateRoute(ports: KeyPorts): Route {
  return route({
    method: 'POST',
    path: `${path}/rotate`,
    operationId: 'rotateSigningKeys',
    summary: 'Publish a new key, use it after the lead, and keep the old one published for the overlap',
    scope: 'webhooks:write',
    entitlement: 'write',
    params,
    query: noQuery,
    body: rotation.prefault({}),
    answer: { status: 201, schema: pageOf(shownKey), location: path },
    tagged: (answer) => answer,
    heedsIfMatch: true,
    heedsIdempotencyKey: true,
    handle: async ({ params, body, mustMatch, audited }) => {
      const shown = (all: readonly SigningKey[]) => show(all, ports.now());
      const read = await readKeys(ports, params.organizationId);
      const before = shown(read.keys);
      mustMatch(before);
      const work = () => rotateRead(ports, read, body);
      return shown(await audited(before.data, work, (after) => shown(after).data));
    },
  });
}

function keySetRoute({ keys, now }: KeyPorts): Route {
  return route({
    method: 'GET',
    path: '/v1/organizations/{organizationId}/.well-known/jwks.json',
    operationId: 'getKeySet',
    summary: 'The public keys, for receivers; no sign-in needed',
    scope: 'public',
    entitlement: 'none',
    params,
    query: z.looseObject({}),
    body: noBody,
    answer: { status: 200, schema: keySet, cacheSeconds: 300 },
    handle: async ({ params }) => {
      const set = keySetOf(await keys.list(params.organizationId), now());
      // The same for an organization without keys as for none: the route is public.
      if (set.keys.length === 0) throw new NotFound('key set');
      return set;
    },
  });
}
