import { fromApiGateway, verify, VerificationError } from '../../../../verify/verify.ts';
import type { ApiGatewayEvent } from '../../../../verify/verify.ts';
import type { Log } from '../../../shared/log.ts';
import type { Now } from '../../../shared/time.ts';

export interface ReceivePorts {
  /** The secrets that are live, kept for a while: the URL is open to everybody, and nobody may cause reads at will. */
  readonly readSecrets: () => Promise<readonly string[]>;
  readonly now: Now;
  readonly log: Log;
}

export interface Answer {
  readonly statusCode: number;
  readonly body: string;
}

/**
 * Receives as a customer's function would: verifies, and says how long the event took, in milliseconds since it was
 * published. What is not signed by us is refused, and not logged: whoever knows the URL could fill the log.
 */
export async function receiveCanary(ports: ReceivePorts, request: ApiGatewayEvent): Promise<Answer> {
  const secret = await ports.readSecrets();
  try {
    const { event } = await verify(fromApiGateway(request), { secret });
    const tookMs = ports.now() - Date.parse(event.timestamp);
    ports.log('canary.arrived', { eventId: event.id, tookMs });
    return { statusCode: 204, body: '' };
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    return { statusCode: error.status, body: error.code };
  }
}
