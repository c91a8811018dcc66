// npm run soak [-- --minutes 30]: one server at half of its capacity, and whether it stays as it was (docs/reliability.md).
import { runHarness } from './harness.mjs';

await runHarness(() => import('../test/soak/main.ts'));
