import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    // Each file starts a server of its own, and two cores are shared by all of them.
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: [
      'default',
      {
        // The plain closing line that scripts can read, whatever the terminal.
        onTestRunEnd(modules) {
          const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
          for (const module of modules) for (const test of module.children.allTests()) count[test.result().state]++;
          console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
        },
      },
    ],
  },
});
