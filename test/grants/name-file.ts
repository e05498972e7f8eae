import { beforeAll, expect } from 'vitest';

/** Runtimes write down which test file they ran for, if they write down anything (local/permissions/record.ts). */
beforeAll(() => {
  process.env['TIDINGS_TEST_FILE'] = expect.getState().testPath;
});
