import pg from 'pg';

/** A named SQL statement; the name makes it a prepared statement on each connection. */
export interface Statement<Row> {
  readonly name: string;
  readonly text: string;
  /** Carries the row type only; never set. */
  readonly row?: Row;
}

/** Declares a statement. `Row` is the shape of one returned row; names are unique in the code base. */
export function statement<Row = never>(name: string, text: string): Statement<Row> {
  return { name, text };
}

/** What can run a statement: the pool (each statement its own transaction) or one open transaction. */
export interface Queryable {
  query<Row>(statement: Statement<Row>, values?: readonly unknown[]): Promise<Row[]>;
  /** For SQL built at run time (list filters): unnamed, so that the planner sees the real values. */
  queryText<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface PoolUse {
  /** Connections that it may have. */
  max: number;
  total: number;
  idle: number;
  waiting: number;
}

/** Hears of statements: how long one took, or the code of the error that ended it. */
export interface QueryObserver {
  done(statement: string, seconds: number): void;
  failed(code: string): void;
}

export interface DatabaseOptions {
  connection: pg.ClientConfig;
  /** Connections for requests. */
  poolSize: number;
  /** Told of connections that broke while idle; the pool replaces them by itself. */
  onError(error: Error): void;
}

/** A hung statement must not hold a caller for ever. */
const statementTimeoutMs = 10_000;

/** A network that loses a connection without a word tells neither side: an answer this late will not come. */
const answerTimeoutMs = 12_000;

const connectTimeoutMs = 5_000;

/** A dead peer of a quiet connection is noticed some ten seconds after this, not after the two hours of the system. */
const keepAliveAfterMs = 10_000;

/**
 * The engine's statements walk an index to a few rows, whatever the statistics say. On a table that was never analysed, or
 * that has just grown, the planner would rather sort every queued row: 7 to 10 times slower claims. And a plan that knows no limit
 * yet expects a claim to take a tenth of the line: with a million in it, it would read the whole table for a hash join, a second
 * for each claim. Planned each time, for a millisecond: a plan that was made while the table was empty reads all of it when it is
 * not, and on a new database that is what the first minute is like, until statistics are made.
 */
const pinnedPlans =
  '-c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_custom_plan';

/** Statements of milliseconds; compiling one takes hundreds, and a plan we pinned looks expensive enough for that. */
const noJit = '-c jit=off';

/**
 * Requests read a page of rows that lie in order in one index, and look the rest up row by row. The planner believes that
 * merging two whole indexes is cheaper, as it expects to stop early, and cannot know that the newest rows are all alike; and a
 * plan that it made when the table was small would read all of it for ever.
 */
const rowByRow = '-c enable_mergejoin=off -c enable_hashjoin=off -c enable_seqscan=off';

/** So that times come as they are shown, however the server is set up. */
const inUtc = '-c timezone=UTC';

/**
 * The PostgreSQL of this process, in separate pools so that no kind of work can starve another:
 * `api` answers requests, `engine` claims and settles attempts, `loops` does background duties.
 */
export class Database {
  readonly api: Pool;
  readonly engine: Pool;
  readonly loops: Pool;

  constructor(private readonly options: DatabaseOptions) {
    this.api = new Pool(options, 'api', options.poolSize, `${inUtc} ${noJit} ${rowByRow}`);
    this.engine = new Pool(options, 'engine', 4, `${inUtc} ${noJit} ${pinnedPlans}`);
    this.loops = new Pool(options, 'loops', 2, `${inUtc} ${noJit} ${pinnedPlans}`);
  }

  /** Connections of each pool, and callers that wait for one. */
  pools(): Record<'api' | 'engine' | 'loops', PoolUse> {
    return { api: this.api.use, engine: this.engine.use, loops: this.loops.use };
  }

  /** Is told of every statement from now on. */
  set observer(observer: QueryObserver | undefined) {
    for (const pool of [this.api, this.engine, this.loops]) pool.observer = observer;
  }

  /** A connection of its own, for what must outlive a statement: LISTEN and session locks. The caller ends it. */
  async connect(name: string): Promise<pg.Client> {
    const client = new pg.Client(clientConfig(this.options.connection, name));
    client.on('error', this.options.onError);
    await client.connect();
    return client;
  }

  async close(): Promise<void> {
    await Promise.all([this.api.end(), this.engine.end(), this.loops.end()]);
  }
}

class Pool implements Queryable {
  private readonly pool: pg.Pool;
  observer: QueryObserver | undefined;

  constructor(options: DatabaseOptions, name: string, max: number, serverOptions: string) {
    this.pool = new pg.Pool({
      ...clientConfig(options.connection, name),
      options: serverOptions,
      max,
      idleTimeoutMillis: 30_000,
    });
    // Without a listener an idle connection that breaks (a database restart) would end the process.
    this.pool.on('error', options.onError);
    // The pool stops listening to a connection that it closes; one that breaks in that very moment would end the process, too.
    this.pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async query<Row>(statement: Statement<Row>, values: readonly unknown[] = []): Promise<Row[]> {
    return run(this.pool, { name: statement.name, text: statement.text, values: values as unknown[] }, this.observer);
  }

  get use(): PoolUse {
    const { totalCount: total, idleCount: idle, waitingCount: waiting, options } = this.pool;
    return { max: options.max, total, idle, waiting };
  }

  async queryText<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return run(this.pool, { text, values: values as unknown[] }, this.observer);
  }

  /** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
  async transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      const result = await work({
        query: (statement, values = []) =>
          run(client, { name: statement.name, text: statement.text, values: values as unknown[] }, this.observer),
        queryText: (text, values = []) => run(client, { text, values: values as unknown[] }, this.observer),
      });
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((rollbackError: Error) => (broken = rollbackError));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  end(): Promise<void> {
    return this.pool.end();
  }
}

async function run<Row>(target: pg.Pool | pg.ClientBase, config: pg.QueryConfig, observer: QueryObserver | undefined): Promise<Row[]> {
  if (!observer) return (await target.query<Row & pg.QueryResultRow>(config)).rows;
  const begun = performance.now();
  try {
    const { rows } = await target.query<Row & pg.QueryResultRow>(config);
    // What is built at run time has no name; its texts would be as many as there are filters.
    observer.done(config.name ?? 'unnamed', (performance.now() - begun) / 1_000);
    return rows;
  } catch (error) {
    const { code } = error as { code?: unknown };
    observer.failed(typeof code === 'string' ? code : 'unknown');
    throw error;
  }
}

function clientConfig(connection: pg.ClientConfig, name: string): pg.ClientConfig {
  return {
    ...connection,
    application_name: `arkitect ${name}`,
    statement_timeout: statementTimeoutMs,
    query_timeout: answerTimeoutMs,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    types: { getTypeParser: ((oid: number, format: 'text' | 'binary') => parserOf(oid, format)) as typeof pg.types.getTypeParser },
  };
}

const int8: number = pg.types.builtins.INT8;
const timestamptz: number = pg.types.builtins.TIMESTAMPTZ;
const parseDate = pg.types.getTypeParser(timestamptz, 'text') as (text: string) => Date;

/** bigint as number (our counters stay far below 2^53), timestamptz as RFC 3339 UTC with milliseconds. */
function parserOf(oid: number, format: 'text' | 'binary'): unknown {
  if (oid === int8) return Number;
  if (oid === timestamptz) return rfc3339;
  return pg.types.getTypeParser(oid, format);
}

/** `2026-01-31 13:37:00.123456+00`, as a session in UTC prints it; most of what a row costs here are its times. */
const utcTime = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00$/;

function rfc3339(text: string): string {
  const [, date, time, fraction = ''] = utcTime.exec(text) ?? [];
  return date ? `${date}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}Z` : parseDate(text).toISOString();
}
