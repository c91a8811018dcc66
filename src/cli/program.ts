import { Command, CommanderError, Option } from 'commander';
import { serverVersion } from '../version.js';
import { programName, withExamples } from './command.js';
import { addAdmin } from './commands/admin.js';
import { addAlerts } from './commands/alerts.js';
import { addCompletion } from './commands/completion.js';
import { addConfig } from './commands/config.js';
import { addHealth } from './commands/health.js';
import { addLogs } from './commands/logs.js';
import { addMetrics } from './commands/metrics.js';
import { addTasks } from './commands/tasks.js';
import { addTop } from './commands/top.js';
import { addWatch } from './commands/watch.js';
import { addWorkers } from './commands/workers.js';
import { defaultUrl } from './context.js';
import { exitCodes, Failure } from './failures.js';
import { outputs } from './print.js';
import { printable, toJson } from './text.js';

/** All commands, in the order of the help. A new one is a file in commands/ and a line here. */
const commands: ((program: Command) => void)[] = [
  addTasks,
  addWorkers,
  addAlerts,
  addMetrics,
  addConfig,
  addAdmin,
  addLogs,
  addHealth,
  addWatch,
  addTop,
  addCompletion,
];

/** Runs one command line; the answer is what the process ends with. */
export async function run(args: string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
    // A command that a signal has ended says so itself.
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`${describe(error, program.opts().output)}\n`);
    return error.exitCode;
  }
}

function createProgram(): Command {
  const program = new Command(programName)
    .description('Tasks, workers, alerts, metrics and settings of an ARKITECT server, from a terminal.')
    .version(serverVersion, '-V, --version', 'print the version')
    .addOption(new Option('--url <url>', `address of the server; also ARKITECT_URL (default: ${defaultUrl})`))
    .addOption(new Option('--token <token>', 'token; also ARKITECT_TOKEN, or the file that a server on this machine has generated'))
    .addOption(new Option('-o, --output <form>', 'form of what is printed').choices(outputs).default('table'))
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help tells more)')
    // Throws instead of ending the process.
    .exitOverride();
  withExamples(program, [
    'tasks create hello --param hello=world --start auto --wait 10',
    'tasks list --status failed --output json',
    'alerts ack 01a203f4-d9ad-763d-a518-7b95654d40e8 --note "Looking into it."',
    'config set LOG_LEVEL=debug --expires-in 15m',
    'watch',
    'top',
  ]);
  for (const add of commands) add(program);
  return program;
}

/** For people, or for programs that asked for JSON. */
function describe(failure: Failure, output: unknown): string {
  if (output !== 'table') return toJson(failure);
  return `${programName}: ${failure.message.split('\n').map(printable).join('\n')}`;
}
