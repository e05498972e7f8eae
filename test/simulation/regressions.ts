/**
 * Seeds that once broke an invariant, each with what it found. Every test run lives through them again. A seed stands
 * for its run only as long as the simulator draws the same, so each bug has a test of its own, too.
 */
export const regressions: readonly { readonly seed: number; readonly found: string }[] = [
  {
    seed: 6,
    found:
      'a rotation whose write was made twice by the SDK took itself for overtaken, and retired the secret it had ' +
      'just put in use: every delivery was held for ever',
  },
];
