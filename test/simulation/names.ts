/** The last characters of an id, which tell it from others. */
export function short(id: string): string {
  return id.slice(-4);
}

/** A receiver's address begins with the id of its endpoint; what follows may change. */
export function addressOf(endpointId: string, version: number): string {
  return `https://receivers.example.com/${endpointId}/${version}`;
}

/** Whose address it is. */
export function endpointOf(url: string): string {
  return url.split('/')[3] ?? '';
}

/** Whose endpoint a crowd of events is for; nobody else's wait for a pace or a ramp (crowd.ts). */
export const crowdOrganizationId = 'org_crowd';
