import type { Command, Option } from 'commander';
import { Suggesting } from '../command.js';

/** What can follow one command. */
export interface Node {
  /** The command's words, without the program: `alerts rules list`. */
  path: string;
  words: Word[];
  options: Flag[];
}

export interface Word {
  text: string;
  summary: string;
}

export interface Flag {
  long: string;
  short?: string | undefined;
  summary: string;
  takesValue: boolean;
  values: readonly string[];
}

/** Every command with all that may follow it; options of the program follow every command. */
export function commandTree(program: Command): Node[] {
  const common = program.options.map(flagOf).concat(help);
  const walk = (command: Command, path: string[]): Node[] => [
    {
      path: path.join(' '),
      words: wordsOf(command),
      options: [...(path.length ? command.options.map(flagOf) : []), ...common],
    },
    ...command.commands.flatMap((child) => [child.name(), ...child.aliases()].flatMap((name) => walk(child, [...path, name]))),
  ];
  return walk(program, []);
}

const help: Flag = { long: '--help', short: '-h', summary: 'print help', takesValue: false, values: [] };

/** Commands below it, or the choices of its arguments. */
function wordsOf(command: Command): Word[] {
  const commands = command.commands.map((child) => ({ text: child.name(), summary: child.description() }));
  const choices = command.registeredArguments.flatMap(({ argChoices }) => (argChoices ?? []).map((text) => ({ text, summary: '' })));
  return [...commands, ...choices];
}

function flagOf(option: Option): Flag {
  return {
    long: option.long!,
    short: option.short,
    summary: option.description,
    takesValue: option.required || option.optional,
    values: option.argChoices ?? (option instanceof Suggesting ? option.suggestions : []),
  };
}

/** Every option that takes a value, once for each set of values it has somewhere. */
export function valuedFlags(tree: Node[]): { path: string; flag: Flag }[] {
  return tree.flatMap(({ path, options }) => options.filter(({ takesValue }) => takesValue).map((flag) => ({ path, flag })));
}
