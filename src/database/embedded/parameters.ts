/** PostgreSQL's settings, given at each start, so that a new version of the server brings its own without touching any file. */
export const defaultParameters: Readonly<Record<string, string>> = {
  cluster_name: 'arkitect',
  listen_addresses: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  log_checkpoints: 'off',
  fsync: 'on',
  max_connections: '60',
  shared_buffers: '64MB',
  maintenance_work_mem: '32MB',
  huge_pages: 'off',
  // All fits in memory here; three processes less.
  io_method: 'sync',
  jit: 'off',
  // One server, no replicas: less WAL, no launcher process.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_replication_slots: '0',
  max_logical_replication_workers: '0',
  // A forgotten transaction holds back vacuum, and with it every claim.
  idle_in_transaction_session_timeout: '30s',
  // A query whose client is gone ends, instead of keeping a new postmaster from starting.
  client_connection_check_interval: '5s',
};

/** Command-line arguments for `postgres`. */
export function parameterArguments(socketDirectory: string, extra: Record<string, string>): string[] {
  const parameters: Record<string, string> = {
    ...defaultParameters,
    // A list: quoted, or a comma in the path would separate two directories.
    unix_socket_directories: `"${socketDirectory.replaceAll('"', '""')}"`,
    ...extra,
  };
  return Object.entries(parameters).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
