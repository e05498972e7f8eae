/** Key of a delivery in the ledger: it is the pair of endpoint and event. */
export function deliveryKey(endpointId: string, eventId: string) {
  return { pk: `ENDPOINT#${endpointId}`, sk: `DELIVERY#${eventId}` };
}
