import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    // Two shared cores: more workers would only wait for each other.
    maxWorkers: 2,
    globalSetup: ['test/support/postgres.setup.ts'],
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
