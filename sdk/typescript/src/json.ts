/** Any JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  [key: string]: JsonValue;
}

/** How large free JSON may be. */
export interface JsonLimits {
  /** Bytes of its JSON text in UTF-8. */
  bytes: number;
  /** Nesting of objects and arrays; `{}` is 1 deep. */
  depth: number;
}

/**
 * What JSON keeps of a value, as `JSON.stringify` does: dates become text, undefined members vanish, undefined is null.
 * `bytes` is the length of its text. Throws a TypeError for what JSON cannot hold: cycles, BigInts, keys named `__proto__`.
 */
export function toJson(value: unknown, what: string): { json: JsonValue; bytes: number } {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) return { json: null, bytes: 4 };
  const json = JSON.parse(text) as JsonValue;
  // Copied key by key, such an object would get another prototype instead; the server takes none.
  if (text.includes('"__proto__"') && hasPrototypeKey(json)) throw new TypeError(`The ${what} must not have keys named __proto__.`);
  return { json, bytes: Buffer.byteLength(text) };
}

/** As `toJson`, and throws a RangeError when the value is larger or deeper than the server stores. */
export function toJsonWithin(value: unknown, what: string, limits: JsonLimits): { json: JsonValue; bytes: number } {
  const { json, bytes } = toJson(value, what);
  if (bytes > limits.bytes) throw new RangeError(`The ${what} is ${bytes} bytes of JSON; at most ${limits.bytes} are stored.`);
  if (isDeeper(json, limits.depth)) throw new RangeError(`The ${what} is nested too deeply; at most ${limits.depth} levels are stored.`);
  return { json, bytes };
}

/** As `toJson` and `toJsonWithin`, for what must be an object. */
export function toJsonObject(value: object, what: string, limits?: JsonLimits): { json: JsonObject; bytes: number } {
  const { json, bytes } = limits ? toJsonWithin(value, what, limits) : toJson(value, what);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new TypeError(`The ${what} must be an object.`);
  return { json, bytes };
}

function isDeeper(json: JsonValue, levels: number): boolean {
  if (typeof json !== 'object' || json === null) return false;
  if (levels === 0) return true;
  return Object.values(json).some((member) => isDeeper(member, levels - 1));
}

function hasPrototypeKey(json: JsonValue): boolean {
  if (typeof json !== 'object' || json === null) return false;
  return Object.hasOwn(json, '__proto__') || Object.values(json).some(hasPrototypeKey);
}
