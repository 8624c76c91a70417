import yargs, { type CommandModule } from 'yargs';
import { messageOf, NexusError } from '#shared/errors';
import { StartRefused } from '../app/errors.ts';
import { TeamError } from '../aspects/errors.ts';
import { StorageError } from '../storage/errors.ts';

/** Exit codes, the same for every command (docs/cli.md). */
const exitCode = { ok: 0, failed: 1, usage: 2 } as const;

/** The commands, each loaded only when it is run: a client need not load a broker. */
const commands = {
  up: () => import('./up.ts'),
  chat: () => import('./chat.ts'),
  status: () => import('./status.ts'),
  serve: () => import('./serve.ts'),
  token: () => import('./token.ts'),
} as const;

/** Runs one command line and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const parser = yargs([...args])
      .scriptName('nexus')
      .usage('$0 <command>\n\nRuns several AI agents as one team.')
      .demandCommand(1, 'which command? see nexus --help')
      .strict()
      .recommendCommands()
      .version()
      .help()
      .alias('h', 'help')
      .wrap(Math.min(100, process.stdout.columns ?? 100))
      .exitProcess(false)
      .fail((message, error) => {
        throw error ?? new UsageError(message);
      });
    for (const command of await load(args[0])) parser.command(command);
    await parser.parseAsync();
    return exitCode.ok;
  } catch (error) {
    console.error(`nexus: ${messageOf(error)}`);
    return codeFor(error);
  }
}

/** The command that is asked for; all of them for help and for what is not a command. */
async function load(name: string | undefined): Promise<CommandModule[]> {
  const known = Object.keys(commands).filter((each) => each === name);
  const wanted = (known.length > 0 ? known : Object.keys(commands)) as (keyof typeof commands)[];
  const modules = await Promise.all(wanted.map((each) => commands[each]()));
  // Each module knows its own flags; to yargs they are all just commands.
  return modules.map(({ command }) => command as CommandModule);
}

class UsageError extends NexusError<'usage'> {
  constructor(message: string) {
    super('usage', message);
  }
}

function codeFor(error: unknown): number {
  const usage = [UsageError, StartRefused, StorageError, TeamError].some(
    (type) => error instanceof type,
  );
  return usage ? exitCode.usage : exitCode.failed;
}
