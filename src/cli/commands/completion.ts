import { Argument, type Command } from 'commander';
import { command, runs } from '../command.js';
import { bashScript } from '../completion/bash.js';
import { fishScript } from '../completion/fish.js';
import { commandTree } from '../completion/tree.js';
import { zshScript } from '../completion/zsh.js';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };
type Shell = keyof typeof scripts;

export function addCompletion(program: Command): void {
  const completion = command(program, 'completion', 'Print a script that teaches a shell to complete this program', [
    'completion bash >> ~/.bashrc',
    'completion zsh > ~/.zfunc/_arkitect',
    'completion fish > ~/.config/fish/completions/arkitect.fish',
  ]).addArgument(new Argument('<shell>', 'which one').choices(Object.keys(scripts)));
  runs(completion, (_context, _given, shell) => {
    process.stdout.write(scripts[shell as Shell](commandTree(program)));
  });
}
