import { definitionOf, settingKeys, type SettingKey } from '../settings.js';

/** JSON Schema (2020-12) of all settings: what `changes` of POST /config may hold. */
export function configSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Settings of ARKITECT Orchestrator',
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(settingKeys.map((key) => [key, settingSchema(key)])),
  };
}

function settingSchema(key: SettingKey): Record<string, unknown> {
  const { schema, doc, accepts, default: text, secret = false, effect, scope, parse } = definitionOf(key);
  const unit = unitOf(key);
  return {
    anyOf: [schema, { type: 'null' }],
    description: doc,
    ...(!secret && { default: parse(text) }),
    ...(secret && { writeOnly: true }),
    ...(scope === 'env-only' && { readOnly: true }),
    'x-accepts': accepts,
    'x-effect': effect,
    'x-scope': scope,
    'x-secret': secret,
    ...(unit && { 'x-unit': unit }),
  };
}

/** Names of settings say their unit. */
export function unitOf(key: string): string | undefined {
  return /_(SECONDS|MINUTES|HOURS|DAYS)$/.exec(key)?.[1]?.toLowerCase();
}
