import { statement, type Database } from '../database/database.js';
import { readMigrations } from '../database/migrate.js';
import type { WakeUps } from '../events/wake-ups.js';
import type { HealthProbe } from './health-probe.js';

const pingStatement = statement('ping', 'SELECT 1');
const migrationStatement = statement<{ number: number }>(
  'latest_migration',
  'SELECT coalesce(max(number), 0) AS number FROM schema_migrations',
);

export function databaseProbe(database: Database): HealthProbe {
  return {
    name: 'database',
    async check() {
      await database.loops.query(pingStatement);
      return { status: 'up' };
    },
  };
}

/** A newer replica may have migrated the database while this one runs: it still works, and should be replaced. */
export function migrationsProbe(database: Database): HealthProbe {
  const known = readMigrations().length;
  return {
    name: 'migrations',
    async check() {
      const [row] = await database.loops.query(migrationStatement);
      const applied = row!.number;
      if (applied === known) return { status: 'up' };
      const detail = `The database is at migration ${applied}, this build at ${known}.`;
      return { status: applied > known ? 'degraded' : 'down', detail };
    },
  };
}

export function wakeUpsProbe(wakeUps: WakeUps): HealthProbe {
  return {
    name: 'wake_ups',
    check: async () =>
      wakeUps.connected
        ? { status: 'up' }
        : { status: 'degraded', detail: 'The connection for wake-ups is being made again; polling goes on.' },
  };
}
