/** How one setting is read: its default, what it accepts in words, and the parser that enforces it. */
export interface Definition<T> {
  /** The text that `.env` holds by default. */
  default: string;
  /** Meaning and unit; goes to `.env` and to the settings table. */
  doc: string;
  accepts: string;
  /** Never printed, logged or returned by any door. */
  secret?: boolean;
  /** When a change takes effect: at once (`live`), or at the next start of each replica. */
  effect: 'live' | 'restart';
  /** `env-only`: what a replica needs to reach its database, or what guards it; never overridden at run time. */
  scope: 'env-only' | 'run-time';
  /** JSON Schema (2020-12) of its value as the configuration API takes it. */
  schema: Readonly<Record<string, unknown>>;
  parse(text: string): T | undefined;
}

/** `change`: `live`, at the next start of a replica (when absent), or by `.env` and the environment alone (`env-only`). */
type Options = Pick<Definition<unknown>, 'default' | 'doc'> & { secret?: boolean; change?: 'live' | 'env-only' };

function common({ change, ...rest }: Options): Pick<Definition<unknown>, 'default' | 'doc' | 'secret' | 'effect' | 'scope'> {
  return { ...rest, effect: change === 'live' ? 'live' : 'restart', scope: change === 'env-only' ? 'env-only' : 'run-time' };
}

export function text(options: Options & { accepts?: string; pattern?: RegExp }): Definition<string> {
  const { pattern, accepts = 'any text', ...rest } = options;
  const schema = { type: 'string', ...(pattern && { pattern: pattern.source }) };
  return { ...common(rest), accepts, schema, parse: (value) => (!pattern || pattern.test(value) ? value : undefined) };
}

export function integer(options: Options & { min: number; max: number }): Definition<number> {
  const { min, max, ...rest } = options;
  return {
    ...common(rest),
    schema: { type: 'integer', minimum: min, maximum: max },
    accepts: `a whole number from ${min} to ${max}`,
    parse: (value) => (/^-?\d{1,15}$/.test(value) && +value >= min && +value <= max ? +value : undefined),
  };
}

export function oneOf<const T extends string>(options: Options & { values: readonly T[] }): Definition<T> {
  const { values, ...rest } = options;
  return {
    ...common(rest),
    schema: { type: 'string', enum: values },
    accepts: `one of ${values.map((value) => value || '(empty)').join(', ')}`,
    parse: (value) => values.find((candidate) => candidate === value),
  };
}

export function flag(options: Options): Definition<boolean> {
  const values: Record<string, boolean> = { true: true, false: false };
  return { ...common(options), schema: { type: 'boolean' }, accepts: 'true or false', parse: (value) => values[value] };
}

/** One server, a Cluster (several URLs) or Sentinels (several hosts and a name), as `events/redis-connection.ts` takes it apart. */
export function redisUrl(options: Options): Definition<string> {
  const user = '([^\\s@/,]*@)?';
  const address = '([\\w.-]+|\\[[\\da-fA-F:.]+\\])(:\\d{1,5})?';
  const server = `rediss?://${user}${address}`;
  const pattern = new RegExp(
    `^(|${server}(/\\d{0,4})?|${server}/?(,${server}/?)+|redis\\+sentinel://${user}${address}(,${address})*/[\\w.-]+)$`,
  );
  // The pattern does not know which ports and escapes there are.
  const isUrl = (part: string) => URL.canParse(part.includes('://') ? part : `redis://${part}`) && isDecodable(part);
  return {
    ...common(options),
    schema: { type: 'string' },
    accepts:
      'empty, redis://host:port or rediss://host:port, several of these separated by commas (Cluster), or redis+sentinel://host:port,host:port/master-name',
    parse: (value) => (pattern.test(value) && (!value || value.split(',').every(isUrl)) ? value : undefined),
  };
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** `isItem` says what the pattern of an item cannot. */
export function list(options: Options & { accepts: string; item: RegExp; isItem?(item: string): boolean }): Definition<readonly string[]> {
  const { accepts, item, isItem = () => true, ...rest } = options;
  return {
    ...common(rest),
    accepts,
    schema: { type: 'array', items: { type: 'string', pattern: item.source } },
    parse(value) {
      const items = value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean);
      return items.every((part) => item.test(part) && isItem(part)) ? Object.freeze(items) : undefined;
    },
  };
}
