import type { Definition } from '../setting-definition.js';
import { settingDefinitions } from '../setting-definitions.js';

/** `docs/settings.md`: every setting in one table. */
export function settingsTable(): string {
  const rows = Object.entries(settingDefinitions).map(([key, { default: value, accepts, doc, ...definition }]) =>
    [`\`${key}\``, cell(doc), cell(accepts), value ? `\`${cell(value)}\`` : '(empty)', changed(definition)].join(' | '),
  );
  return `# Settings

The server reads its settings from the environment and from \`.env\` in its working directory; the environment wins,
and an empty value means the default. A value that is not accepted ends the start with a sentence that says why.
What is set at run time ([config.md](config.md)) wins over both, and an edit of \`.env\` is noticed while the server runs.
The last column says when a change takes effect: \`live\`, at once on every replica; \`restart\`, at the next start of each;
\`start only\`, the same, and only by \`.env\` or the environment.

<!-- Generated from src/setting-definitions.ts by \`npm run generate\`. -->

| Setting | Meaning | Accepts | Default | Change |
| --- | --- | --- | --- | --- |
${rows.map((row) => `| ${row} |`).join('\n')}
`;
}

/** When a change takes effect, in a word or two. */
export function changed({ effect, scope }: Pick<Definition<unknown>, 'effect' | 'scope'>): string {
  return scope === 'env-only' ? 'start only' : effect;
}

/** Text inside a table: a bar would end the cell, and an angle bracket would start HTML. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
