import { settingDefinitions } from '../settings.js';

/** `docs/settings.md`: every start value in one table. */
export function settingsTable(): string {
  const rows = Object.entries(settingDefinitions).map(([key, { default: value, accepts, doc }]) =>
    [`\`${key}\``, cell(doc), cell(accepts), value ? `\`${cell(value)}\`` : '(empty)'].join(' | '),
  );
  return `# Settings

The server reads its start values from the environment and from \`.env\` in its working directory; the environment wins,
and an empty value means the default. A value that is not accepted ends the start with a sentence that says why.

<!-- Generated from src/settings.ts by \`npm run generate\`. -->

| Setting | Meaning | Accepts | Default |
| --- | --- | --- | --- |
${rows.map((row) => `| ${row} |`).join('\n')}
`;
}

/** Text inside a table: a bar would end the cell, and an angle bracket would start HTML. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
