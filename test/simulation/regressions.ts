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
  {
    seed: 2043486,
    found:
      'a message that had fallen unmarked, because five functions died of it, was redriven before the next attempt ' +
      'was due, and dropped as a copy: the delivery would have waited for ever',
  },
  {
    seed: 3185444,
    found:
      'a copy of a message that came early hopped, and forgot by it that it had been received before: when the ' +
      'other one died between its record and the dead letter, it was dropped, and there was no letter',
  },
  {
    seed: 193030,
    found:
      'the tidy-up removed a letter of round 1 since round 2 had begun: but five functions had died of that very ' +
      'letter, after it had been redriven, and it was the only message by which round 2 could go on',
  },
  {
    seed: 884389,
    found:
      'the tidy-up removed a letter of round 1 since the delivery was dead in round 2: but whoever recorded that had ' +
      'died before the letter of round 2 was sent, and nothing was left that told of it',
  },
];
