import type { ThrottleSettings } from 'aws-cdk-lib/aws-apigatewayv2';

/** The gateway waits for 30 s, and whoever still runs then would be paid for and heard by nobody. */
export const requestSecondsMax = 29;

/**
 * Executions that the API may take when none are reserved for it: an account has 1,000, unless it asks for more, and
 * Tidings itself takes 270 (docs/capacity.md). So whatever strangers ask for, deliveries have theirs.
 */
export const executionsMax = 730;

/** Of these, how many each route may take; who has a token is not turned away for those who have none. */
const shares = {
  ...{ operations: 520, test: 20, rest: 20 },
  ...{ keySet: 85, keySetHead: 15, description: 35, reference: 35 },
} as const;

export type Bounded = keyof typeof shares;

/** With executions reserved, Lambda itself bounds them, and the gateway may let through as many as are answered fast. */
const fast: ThrottleSettings = { rateLimit: 200, burstLimit: 400 };

/**
 * How many requests the gateway lets through to a route. Without a reservation as many as take no more executions than
 * their share, though every one of them runs for as long as it can: a burst at once, then the rate.
 *
 * @param reserved executions reserved for the API; 0 = none
 */
export function throttleOf(route: Bounded, reserved: number): ThrottleSettings {
  if (reserved > 0) return fast;
  const share = shares[route];
  const burstLimit = Math.floor(share / 5);
  // To a tenth, rounded down.
  const rateLimit = Math.floor(((share - burstLimit) / requestSecondsMax) * 10) / 10;
  return { rateLimit, burstLimit };
}
