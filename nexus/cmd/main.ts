import yargs, { type CommandModule } from 'yargs';
import { messageOf, NexusError, systemCodeOf } from '#shared/errors';
import { StartRefused } from '../app/errors.ts';
import { packageVersion } from '../app/package-root.ts';
import { TeamError } from '../aspects/errors.ts';
import { StorageError } from '../storage/errors.ts';
import { VaultError } from '../vault/errors.ts';

/** Exit codes, the same for every command (docs/cli.md). */
const exitCode = { ok: 0, failed: 1, usage: 2 } as const;

/** The commands, each loaded only when it is run: a client need not load a broker. */
const commands = {
  up: () => import('./up.ts'),
  chat: () => import('./chat.ts'),
  status: () => import('./status.ts'),
  serve: () => import('./serve.ts'),
  token: () => import('./token.ts'),
  credential: () => import('./credential.ts'),
  personality: () => import('./personality.ts'),
  admin: () => import('./admin.ts'),
  operator: () => import('./operator.ts'),
  audit: () => import('./audit.ts'),
  backup: () => import('./backup.ts'),
  restore: () => import('./restore.ts'),
  doctor: () => import('./doctor.ts'),
  cert: () => import('./cert.ts'),
  aspect: () => import('./aspect.ts'),
} as const;

/** Runs one command line and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  process.stdout.on('error', (error) => readerGone(error, args[0]));
  try {
    const parser = yargs([...args])
      .scriptName('nexus')
      .usage('$0 <command>\n\nRuns several AI agents as one team.')
      .demandCommand(1, 'which command?')
      .strict()
      .strictCommands()
      // A flag that is given twice counts as it was given last.
      .parserConfiguration({ 'duplicate-arguments-array': false })
      .check(refuseNoNumbers, true)
      .recommendCommands()
      .version(packageVersion())
      .help()
      .alias('h', 'help')
      .wrap(Math.min(100, process.stdout.columns ?? 100))
      .exitProcess(false)
      .fail((message, error) => {
        // A check that says no in words comes with those words instead of an error.
        if (error instanceof Error) throw error;
        throw new UsageError(`${message.replace(/\s+/g, ' ')} (see nexus --help)`);
      });
    for (const command of await load(args[0])) parser.command(command);
    await parser.parseAsync();
    // A command may have set one of its own.
    return Number(process.exitCode ?? exitCode.ok);
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

function refuseNoNumbers(argv: Readonly<Record<string, unknown>>): true {
  const flag = Object.keys(argv).find((name) => Number.isNaN(argv[name]));
  if (flag) throw new UsageError(`--${flag} takes a number`);
  return true;
}

/** Whoever read our output has gone: a server goes on, a client has nothing left to do. */
function readerGone(error: Error, command: string | undefined): void {
  if (systemCodeOf(error) !== 'EPIPE') throw error;
  if (command !== 'up' && command !== 'serve') process.exit(exitCode.ok);
}

class UsageError extends NexusError<'usage'> {
  constructor(message: string) {
    super('usage', message);
  }
}

function codeFor(error: unknown): number {
  const usage = [UsageError, StartRefused, StorageError, TeamError, VaultError].some(
    (type) => error instanceof type,
  );
  return usage ? exitCode.usage : exitCode.failed;
}
