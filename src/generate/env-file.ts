import { settingDefinitions } from '../setting-definitions.js';
import { changed } from './settings-table.js';

/*
 * `.env` is generated and edited: every start value is in it with its explanation, and what a person has set stays.
 * "Default:" in the comment tells the two apart when a default changes.
 */

const heading = `# Start values of the server. The environment wins over this file; an empty value means the default.
# Put secrets into the environment rather than in here: this file is checked in.
# \`npm run generate\` renews the comments and keeps the values that differ from their default.
`;

/** The text of `.env`, with the values of `current`, the file as it is. */
export function envFile(current: string): string {
  const own = ownValues(current);
  const blocks = Object.entries(settingDefinitions).map(([key, definition]) => {
    const value = own.get(key) ?? definition.default;
    const secret = 'secret' in definition && definition.secret ? ' Secret: never logged.' : '';
    return `${comment(definition.doc + secret)}
${comment(`Accepts ${definition.accepts}. Change: ${changed(definition)}.`)}
# Default: ${definition.default || '(empty)'}
${key}=${value}
`;
  });
  return [heading, ...blocks].join('\n');
}

/** What a person has set: the values that are not the default that stands above them. */
function ownValues(text: string): Map<string, string> {
  const assignments = text.matchAll(/^(?:# Default: (?<written>.*)\n)?(?<key>[A-Z][A-Z0-9_]*)=(?<value>.*)$/gm);
  const pairs = [...assignments].map(({ groups }) => groups as { written?: string; key: string; value: string });
  return new Map(pairs.filter(({ written, value }) => value !== '' && value !== written).map(({ key, value }) => [key, value]));
}

function comment(text: string): string {
  const lines = text.match(/.{1,117}(?:\s|$)/g) ?? [];
  return lines.map((line) => `# ${line.trimEnd()}`).join('\n');
}
