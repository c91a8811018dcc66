import { Injectable } from '@nestjs/common';
import { Database, statement } from '../../../database/database.js';
import { CodedError, invalid } from '../../../errors/coded-error.js';
import type { JsonObject } from '../../../tasks/task.js';
import { action, type Action, type Outcome, type RunContext } from '../action.js';
import { TablesDto } from '../parameters.dto.js';

interface Table {
  name: string;
  bytes: number;
}

const tablesStatement = statement<Table>(
  'tables_for_upkeep',
  `SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' ORDER BY c.relname`,
);

/** Two of them would wait for each other. */
const upkeepLock = 4_711_000_017;

/** What a REINDEX that was broken off leaves behind. */
const leftBehind = `SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE NOT i.indisvalid AND c.relnamespace = current_schema()::regnamespace AND c.relname ~ '_ccnew\\d*$'`;

/** Upkeep of the tables, which PostgreSQL's autovacuum also does by itself. */
@Injectable()
export class DatabaseActions {
  constructor(private readonly database: Database) {}

  readonly actions: Action[] = [
    this.upkeep(
      'vacuum',
      'Frees the room of deleted rows and brings the statistics of the planner up to date (VACUUM ANALYZE). Nobody waits for it.',
      'VACUUM (ANALYZE)',
    ),
    this.upkeep(
      'reindex',
      'Builds indexes anew (REINDEX TABLE CONCURRENTLY). Nobody waits for it; each needs room beside the old one meanwhile.',
      'REINDEX TABLE CONCURRENTLY',
    ),
  ];

  private upkeep(name: string, description: string, sql: string): Action {
    return action<TablesDto>({
      name,
      description,
      danger: 'safe',
      role: 'admin',
      parameters: TablesDto,
      scope: 'here',
      job: true,
      prepare: async (parameters) => {
        await this.tables(parameters.tables);
        return parameters;
      },
      preview: async ({ tables }) => ({ tables: asJson(await this.tables(tables)) }),
      run: ({ tables }, context) => this.run(sql, tables, context),
    });
  }

  private async run(sql: string, wanted: string[] | undefined, { signal, progress }: RunContext): Promise<Outcome> {
    const tables = await this.tables(wanted);
    const client = await this.database.connect('upkeep', { limited: false });
    // A statement of minutes ends with its connection.
    const stop = () => void client.end().catch(() => undefined);
    signal.addEventListener('abort', stop);
    try {
      const { rows } = await client.query<{ won: boolean }>(`SELECT pg_try_advisory_lock(${upkeepLock}) AS won`);
      if (!rows[0]!.won)
        throw new CodedError('CONFLICT', 'Another vacuum or reindex is under way. Wait for its end, and run this one again.');
      const { rows: broken } = await client.query<{ name: string }>(leftBehind);
      for (const { name } of broken) await client.query(`DROP INDEX CONCURRENTLY IF EXISTS "${name}"`);
      for (const [index, { name }] of tables.entries()) {
        progress((100 * index) / tables.length, `${name}, ${index + 1} of ${tables.length} tables.`);
        await client.query(`${sql} "${name}"`);
      }
      const after = await this.tables(tables.map(({ name }) => name));
      const bytes = (list: Table[]) => list.reduce((sum, table) => sum + table.bytes, 0);
      return { result: { tables: tables.map(({ name }) => name), bytes_before: bytes(tables), bytes_after: bytes(after) } };
    } catch (error) {
      if (signal.aborted) throw new CodedError('UNAVAILABLE', 'The replica stops. Run the action again.', [], { cause: error });
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      await client.end().catch(() => undefined);
    }
  }

  /** Those that are wanted, of those that there are: names of others never become SQL. */
  private async tables(wanted: string[] | undefined): Promise<Table[]> {
    const all = await this.database.api.query(tablesStatement);
    const unknown = wanted?.filter((name) => !all.some((table) => table.name === name)) ?? [];
    if (unknown.length > 0) {
      const names = all.map(({ name }) => name).join(', ');
      throw invalid([{ field: 'parameters.tables', message: `has no table ${unknown.join(', ')}; there are ${names}` }]);
    }
    return wanted ? all.filter(({ name }) => wanted.includes(name)) : all;
  }
}

function asJson(tables: Table[]): JsonObject[] {
  return tables.map(({ name, bytes }) => ({ name, bytes }));
}
