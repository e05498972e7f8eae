import type { TargetEnv } from '../lambdas/endpoint/env.ts';
import type { Settings } from './settings.ts';

/** What the functions that judge receivers' URLs are told. */
export function receiversEnvironment({ receiverPorts, nat64 }: Settings, ownHost: string): TargetEnv {
  return {
    RECEIVER_PORTS: receiverPorts,
    NAT64: nat64 ? 'true' : 'false',
    OWN_HOSTS: ownHost,
  };
}
