/** How one start value is read: its default, what it accepts in words, and the parser that enforces it. */
export interface Definition<T> {
  /** The text that `.env` holds by default. */
  default: string;
  /** Meaning and unit; goes to `.env` and to the settings table. */
  doc: string;
  accepts: string;
  /** Never printed, logged or returned by any door. */
  secret?: boolean;
  parse(text: string): T | undefined;
}

type Options = Pick<Definition<unknown>, 'default' | 'doc'> & { secret?: boolean };

export function text(options: Options & { accepts?: string; pattern?: RegExp }): Definition<string> {
  const { pattern, accepts = 'any text', ...rest } = options;
  return { ...rest, accepts, parse: (value) => (!pattern || pattern.test(value) ? value : undefined) };
}

export function integer(options: Options & { min: number; max: number }): Definition<number> {
  const { min, max, ...rest } = options;
  return {
    ...rest,
    accepts: `a whole number from ${min} to ${max}`,
    parse: (value) => (/^-?\d{1,15}$/.test(value) && +value >= min && +value <= max ? +value : undefined),
  };
}

export function oneOf<const T extends string>(options: Options & { values: readonly T[] }): Definition<T> {
  const { values, ...rest } = options;
  return {
    ...rest,
    accepts: `one of ${values.map((value) => value || '(empty)').join(', ')}`,
    parse: (value) => values.find((candidate) => candidate === value),
  };
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
    ...options,
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

export function list(options: Options & { accepts: string; item: RegExp }): Definition<readonly string[]> {
  const { item, ...rest } = options;
  return {
    ...rest,
    parse(value) {
      const items = value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean);
      return items.every((part) => item.test(part)) ? Object.freeze(items) : undefined;
    },
  };
}
