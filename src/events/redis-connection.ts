import { Cluster, Redis, type RedisOptions } from 'ioredis';

/** Longer than any healthy answer; until then a wake-up waits before it goes by the database instead. */
const answerMs = 1_000;
const slowestRetryMs = 2_000;

/** Nothing is kept for later: what cannot be sent now goes by the database. Reconnects for ever, until it is told to quit. */
const options = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: answerMs,
  connectTimeout: 2_000,
} satisfies RedisOptions;

const retryStrategy = (times: number) => Math.min(50 * 2 ** (times - 1), slowestRetryMs) + Math.random() * 200;

/** A connection by a `REDIS_URL` that the settings have accepted: one server, a Cluster (several URLs) or Sentinels; not yet opened. */
export function redisConnection(url: string): Redis | Cluster {
  const sentinel = /^redis\+sentinel:\/\/(?:(.*)@)?(.+)\/(.+)$/.exec(url);
  if (sentinel) {
    const [, userInfo = '', hosts = '', name = ''] = sentinel;
    const { username, password } = addressOf(`redis://${userInfo}@localhost`);
    const sentinels = hosts.split(',').map((host) => addressOf(`redis://${host}`, 26_379));
    return new Redis({
      ...options,
      retryStrategy,
      name,
      sentinels: sentinels.map(({ host, port }) => ({ host, port })),
      username,
      password,
      // Without a name: a Sentinel that asks for no password takes any of its default user.
      sentinelPassword: password,
      sentinelCommandTimeout: answerMs,
    });
  }
  const [first, ...others] = url.split(',').map((part) => addressOf(part.trim()));
  if (!others.length) return new Redis({ ...options, retryStrategy, ...first });
  const { username, password, tls } = first!;
  return new Cluster(
    [first!, ...others].map(({ host, port }) => ({ host, port })),
    {
      lazyConnect: true,
      enableOfflineQueue: false,
      clusterRetryStrategy: retryStrategy,
      redisOptions: { ...options, username, password, tls },
    },
  );
}

function addressOf(url: string, defaultPort = 6_379) {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(port || defaultPort),
    username: decodeURIComponent(username) || undefined,
    password: decodeURIComponent(password) || undefined,
    db: Number(pathname.slice(1)),
    tls: protocol === 'rediss:' ? {} : undefined,
  };
}
