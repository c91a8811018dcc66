// npm run chaos [-- --minutes 10 --seed 42]: replicas under faults, and a check that nothing was lost (docs/reliability.md).
import { runHarness } from './harness.mjs';

await runHarness(() => import('../test/chaos/main.ts'));
