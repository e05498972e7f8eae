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
    seed: 33,
    found:
      'a record after which the next message could not be sent travelled on as an outcome, lost against itself where it ' +
      'arrived, and what it owed was never sent',
  },
  {
    seed: 124,
    found:
      'a message that a drain had brought back recorded its attempt and died; when it came again the endpoint had begun ' +
      'a later pass, and it was dropped unread with what it owed',
  },
  {
    seed: 3942,
    found:
      'of two copies one recorded an attempt and died, and the other one was acknowledged: nobody sent what follows',
  },
  {
    seed: 20218,
    found: 'functions died three times of a redriven letter, and the row of its new round waited for nobody',
  },
  {
    seed: 40472,
    found: 'two steps of a drain that overlapped opened the same pass, and each row was posted twice',
  },
  {
    seed: 40482,
    found:
      'a probe lost its lease to the write of the drain that had sent it, and the pause lasted a minute longer',
  },
  {
    seed: 41019,
    found: 'what was parked just before the last step of a drain waited for the whole settle time',
  },
  {
    seed: 1034174,
    found:
      'with all lanes a minute late an endpoint got 0.6 of its pace: late steps sent what was due at once, those who were ' +
      'refused leave were spread too far, and too few more were sent',
  },
];
