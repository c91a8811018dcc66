import { invalid, type FieldError } from '../errors/coded-error.js';
import { isText } from '../input/fields.js';
import { textOf, type LiveSettings, type SettingValue } from '../live-settings.js';
import { definitionOf, nearestSetting, settingKeys, type SettingKey, type SettingTexts } from '../settings.js';

const maxTextLength = 4_096;

/** The values of `changes` by their keys; null takes an override away. Throws `VALIDATION_FAILED` that names every bad key and what is accepted. */
export function readChanges(changes: Record<string, unknown>): Map<SettingKey, SettingValue | null> {
  const keys = Object.keys(changes);
  if (keys.length === 0 || keys.length > settingKeys.length) {
    throw invalid([{ field: 'changes', message: `must name 1 to ${settingKeys.length} settings, such as {"LOG_LEVEL": "debug"}` }]);
  }
  const errors: FieldError[] = [];
  const read = new Map<SettingKey, SettingValue | null>();
  for (const key of keys) {
    const problem = keyProblem(key);
    const value = problem === undefined ? readValue(key as SettingKey, changes[key]) : undefined;
    if (value !== undefined) read.set(key as SettingKey, value);
    else errors.push({ field: `changes.${key.slice(0, 100)}`, message: problem ?? valueRule(key as SettingKey) });
  }
  if (errors.length > 0) throw invalid(errors);
  return read;
}

function keyProblem(key: string): string | undefined {
  if (!(settingKeys as string[]).includes(key)) {
    // Whoever sends a text of a million characters has not mistyped a name.
    return key.length > 100 ? 'is not a setting' : `is not a setting; the nearest known name is ${nearestSetting(key)}`;
  }
  if (definitionOf(key as SettingKey).scope === 'run-time') return undefined;
  return 'is set by .env or the environment of each replica alone, and cannot be changed at run time';
}

function valueRule(key: SettingKey): string {
  return `must be ${definitionOf(key).accepts}; null takes the override away`;
}

/** JSON of the setting's own type, or the text that `.env` would hold. Undefined when it is not accepted. */
function readValue(key: SettingKey, given: unknown): SettingValue | null | undefined {
  if (given === null) return null;
  const definition = definitionOf(key);
  const isList = Array.isArray(given) && definition.schema.type === 'array' && given.every((item) => typeof item === 'string');
  if (!isList && !['string', 'number', 'boolean'].includes(typeof given)) return undefined;
  const text = textOf(given as SettingValue).trim();
  if (text.length > maxTextLength || !isText(text)) return undefined;
  return definition.parse(text) as SettingValue | undefined;
}

/** Throws unless all settings fit together with these overrides. `when` says of which moment that is. */
export function checkTogether(live: LiveSettings, overrides: SettingTexts, changed: ReadonlySet<SettingKey>, when = ''): void {
  const { problems } = live.preview(overrides);
  if (problems.length === 0) return;
  throw invalid(
    problems.map(({ keys, message }) => {
      const key = keys.find((candidate) => changed.has(candidate));
      return { field: key ? `changes.${key}` : 'changes', message: `${when}${key === keys[0] ? '' : `${keys[0]} `}${message}` };
    }),
  );
}
