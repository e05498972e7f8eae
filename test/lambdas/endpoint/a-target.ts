import { parseTarget } from '../../../lambdas/endpoint/target.ts';
import { defaultTargetRules } from '../../fakes/target-rules.ts';
import type { TargetRules } from '../../../lambdas/endpoint/target.ts';

export const literalRules: TargetRules = { ...defaultTargetRules, ipLiterals: true };
export const nat64Rules: TargetRules = { ...literalRules, nat64: true };
export const localRules: TargetRules = { ...defaultTargetRules, loopback: true };
export const deployedRules = [defaultTargetRules, literalRules, nat64Rules];

/** Why a URL is refused; `undefined` when it is not. */
export function faultOf(raw: string, rules = defaultTargetRules): string | undefined {
  const parsed = parseTarget(raw, rules);
  return parsed.ok ? undefined : parsed.code;
}
