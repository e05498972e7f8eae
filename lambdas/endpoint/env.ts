import { z } from 'zod';
import { areLocalReceiversAllowed } from '../shared/local-receivers.ts';
import type { TargetRules } from './target.ts';

/** What every function that judges receivers' URLs is told by the stack. */
export const targetEnv = z.object({
  /** Ports that receivers may listen on, joined by commas. */
  RECEIVER_PORTS: z
    .string()
    .transform((text) => text.split(',').map(Number))
    .pipe(z.array(z.number().int().min(1).max(65_535)).min(1)),
  /** Host names of this deployment's own API: a delivery to it would make a loop. */
  OWN_HOSTS: z.string().transform((text) => text.split(',')),
  /** Whether the functions stand in an IPv6-only subnet with DNS64. */
  NAT64: z.enum(['true', 'false']).transform((text) => text === 'true'),
});

export type TargetEnv = Record<keyof z.input<typeof targetEnv>, string>;

/** The rules for receivers' URLs. Public IP addresses in place of names are refused in every deployment. */
export function targetRulesOf(env: z.output<typeof targetEnv>): TargetRules {
  return {
    ports: env.RECEIVER_PORTS,
    ownHosts: env.OWN_HOSTS,
    nat64: env.NAT64,
    ipLiterals: false,
    loopback: areLocalReceiversAllowed(),
  };
}
