import { setTimeout as wait } from 'node:timers/promises';
import type { Fault } from './faults.js';

/** Of a PostgreSQL server of our own. */
export const databaseFaults: Fault[] = [
  {
    kind: 'PostgreSQL restarted (fast)',
    target: 'database',
    async inject({ postgres }, random) {
      await postgres!.stop('fast');
      await wait(random.between(0, 1_500));
      await postgres!.startServer();
    },
  },
  {
    kind: 'PostgreSQL stopped (immediate)',
    target: 'database',
    async inject({ postgres }, random) {
      await postgres!.stop('immediate');
      await wait(random.between(0, 1_500));
      await postgres!.startServer();
    },
  },
  {
    kind: 'PostgreSQL killed (SIGKILL)',
    target: 'database',
    async inject({ postgres }, random) {
      postgres!.kill();
      await wait(random.between(0, 1_500));
      await postgres!.startServer();
    },
  },
  {
    kind: 'sessions terminated (pg_terminate_backend)',
    target: 'database',
    async inject({ query }, random) {
      const share = random.pick([0.1, 0.3, 1]);
      await query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'arkitect%' AND random() < $1", [
        share,
      ]);
    },
  },
];
