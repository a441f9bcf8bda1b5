import { defineConfig } from 'vitest/config';

// Tests share two cores with LibTorch's own threads: files run one after another in child
// processes, so that a crash in native code is one file's failure and not the whole suite's.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
