import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The end-to-end files each boot a whole runtime; a slow machine must not turn that into a failure.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: ['test/grants/name-file.ts'],
    globalSetup: ['test/local/synthesize.ts'],
    // By default one core is left to the main process, which has nothing to do: of two cores that is half.
    maxWorkers: '100%',
  },
});
