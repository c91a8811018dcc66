import { Option, type Command } from 'commander';
import { contextOf, type Context } from './context.js';
import type { Item } from './text.js';

/** Options of commands by the names of the API's fields: `--max-attempts` is `max_attempts`. */
export type Given = Item;

export type Run = (context: Context, given: Given, ...args: string[]) => Promise<void> | void;

/** The name of the program in texts for people. */
export const programName = 'arkitect';

/** A command below `parent`, with examples for its help. `isDefault`: it is meant where `parent` stands alone. */
export function command(parent: Command, usage: string, summary: string, examples: readonly string[], isDefault = false): Command {
  return withExamples(parent.command(usage, { isDefault }).description(summary).helpCommand(false), examples);
}

export function withExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((each) => `  $ ${programName} ${each}`).join('\n')}`);
}

export function runs(command: Command, run: Run): Command {
  return command.action(async function (this: Command) {
    const given = Object.fromEntries(Object.entries(this.opts()).map(([key, value]) => [snakeCase(key), value as unknown]));
    // The list of a variadic argument stands for its words; arguments that are absent stay out.
    const args = (this.processedArgs as (string | string[] | undefined)[]).flat().filter((each) => each !== undefined);
    await run(contextOf(this.optsWithGlobals()), given, ...args);
  });
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** An option whose usual values the shell can offer. Others are sent as well: it is the server that knows. */
export class Suggesting extends Option {
  constructor(
    flags: string,
    description: string,
    readonly suggestions: readonly string[],
  ) {
    super(flags, `${description} (${suggestions.join(', ')})`);
  }
}

/** What lists have in common. */
export function paged(command: Command): Command {
  return command
    .option('--limit <n>', 'at most this many')
    .option('--cursor <cursor>', 'the page that an earlier one named')
    .option('--all', 'all pages');
}
