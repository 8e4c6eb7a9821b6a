import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two workers at most: the GPU tests share one software adapter and the reference machine has two cores.
    maxWorkers: 2,
    pool: 'forks',
  },
});
