/**
 * How long a call of AWS may take: seconds, tries included, so that one that hangs cannot use up a function's time
 * while an attempt is waiting for it.
 */
export const impatience = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 3_000 },
};
