import { z } from 'zod';
import { found, NotFound } from '../shared/errors.ts';
import { endpointId, organizationId } from '../shared/identifier.ts';
import { Made, noBody, noQuery, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { readCertificate, shownCertificate, uploadedCertificate } from './client-certificate.ts';
import { show } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { replace } from './register.ts';
import type { RegisterPorts } from './register.ts';

export interface CertificateRoutesPorts {
  readonly registration: RegisterPorts;
  readonly getEndpoint: (organizationId: string, id: string) => Promise<Endpoint | undefined>;
}

const path = '/v1/organizations/{organizationId}/endpoints/{endpointId}/client-certificate';
const params = z.strictObject({ organizationId, endpointId });

/** The operations on the certificate by which Tidings proves itself to one endpoint (mutual TLS). */
export function certificateRoutes(ports: CertificateRoutesPorts): Route[] {
  return [putRoute(ports), getRoute(ports), removeRoute(ports)];
}

function putRoute({ registration, getEndpoint }: CertificateRoutesPorts): Route {
  return route({
    method: 'PUT',
    path,
    operationId: 'putClientCertificate',
    summary: 'Upload the certificate and key for mutual TLS; the key never comes back',
    scope: 'webhooks:write',
    entitlement: 'write',
    params,
    query: noQuery,
    body: uploadedCertificate,
    answer: { status: 200, schema: shownCertificate },
    tagged: (answer) => answer,
    heedsIfMatch: true,
    mayCreate: true,
    handle: async ({ params, body, mustMatch, audited }) => {
      const before = await found(getEndpoint(params.organizationId, params.endpointId), 'endpoint');
      const { clientCertificate } = before;
      mustMatch(clientCertificate && shownCertificate.parse(clientCertificate));
      const facts = readCertificate(body, registration.now());
      const value = JSON.stringify(body);
      const work = () => useCertificate(registration, before, { facts, value });
      await audited(show(before), work, show);
      return clientCertificate === undefined ? new Made(facts) : facts;
    },
  });
}

/**
 * Puts the key, has the endpoint name it, and retires the one before.
 *
 * A removal writes the endpoint first and then destroys the whole secret, so one that had written it before it was read
 * here may destroy the new key as well. The API cannot look whether it has: the key is put once more, which changes nothing
 * when it is there. A window stays, when the last call of that removal takes longer than all of these: then the endpoint
 * names a key that is gone, deliveries are held, and the certificate must be uploaded again.
 */
async function useCertificate(
  registration: RegisterPorts,
  before: Endpoint,
  { facts, value }: { facts: ReturnType<typeof readCertificate>; value: string },
): Promise<Endpoint> {
  const { newUuid } = registration.chance;
  const versionId = newUuid();
  const { organizationId, id: endpointId, clientCertificate } = before;
  const name = { organizationId, endpointId, part: 'client-certificate' as const };
  const put = () => registration.secrets.put(name, { id: versionId, value });
  await put();
  const changed = { ...before, clientCertificate: { ...facts, versionId } };
  const retire = (version: string) => registration.secrets.retire(name, version);
  // Not the whole secret: somebody else's first certificate may lie in it by now.
  const after = await replace(registration, { before, changed }, () => retire(versionId));
  if (clientCertificate !== undefined) await retire(clientCertificate.versionId);
  await put();
  return after;
}

function getRoute({ getEndpoint }: CertificateRoutesPorts): Route {
  return route({
    method: 'GET',
    path,
    operationId: 'getClientCertificate',
    summary: 'Whose certificate is used, and until when',
    scope: 'webhooks:read',
    entitlement: 'read',
    params,
    query: noQuery,
    body: noBody,
    answer: { status: 200, schema: shownCertificate },
    handle: async ({ params }) => {
      const endpoint = await found(getEndpoint(params.organizationId, params.endpointId), 'endpoint');
      return shownCertificate.parse(
        await found(Promise.resolve(endpoint.clientCertificate), 'client certificate'),
      );
    },
  });
}

function removeRoute({ registration, getEndpoint }: CertificateRoutesPorts): Route {
  return route({
    method: 'DELETE',
    path,
    operationId: 'deleteClientCertificate',
    summary: 'Stop giving a client certificate, and destroy its key',
    scope: 'webhooks:write',
    entitlement: 'write',
    params,
    query: noQuery,
    body: noBody,
    answer: { status: 204, schema: undefined },
    heedsIfMatch: true,
    handle: async ({ params, mustMatch, audited }) => {
      const before = await found(getEndpoint(params.organizationId, params.endpointId), 'endpoint');
      const { clientCertificate, ...without } = before;
      const work = async () => {
        const after = await replace(registration, { before, changed: without }, () => Promise.resolve());
        await registration.secrets.remove({ ...params, part: 'client-certificate' });
        return after;
      };
      if (clientCertificate !== undefined) {
        mustMatch(shownCertificate.parse(clientCertificate));
        await audited(show(before), work, show);
        return;
      }
      // A call before this one may have been cut off before it destroyed the key, and its ETag stands for nothing any
      // more. The endpoint is written first, so that nothing is destroyed that somebody has uploaded since.
      await work();
      throw new NotFound('client certificate');
    },
  });
}
