import type { TargetRules } from '../../lambdas/endpoint/target.ts';

/** The rules for receivers' URLs in a deployment without settings (lib/settings.ts), but for the host of its own API. */
export const defaultTargetRules: TargetRules = {
  ports: [443, 8443],
  ipLiterals: false,
  ownHosts: [],
  nat64: false,
  loopback: false,
};
