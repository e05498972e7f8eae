import { defineConfig } from 'vitest/config';

/**
 * What cannot share a process with other files: it replaces a module, keeps a server of its own in one, or measures
 * time, which others in memory cost.
 */
const alone = [
  'test/lambdas/api/growth.test.ts',
  'test/lambdas/event/schema-again.test.ts',
  'test/lambdas/shared/clients.test.ts',
  'test/local/aws/server*.test.ts',
  'test/local/records/*.test.ts',
];

export default defineConfig({
  test: {
    // The end-to-end files each boot a whole runtime; a slow machine must not turn that into a failure.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: ['test/grants/name-file.ts'],
    globalSetup: ['test/local/synthesize.ts'],
    // By default one core is left to the main process, which has nothing to do: of two cores that is half.
    maxWorkers: '100%',
    projects: [
      // Files share a process, and what they import is read once: half of all time went into reading it 262 times.
      {
        extends: true,
        test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: alone, isolate: false },
      },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
});
