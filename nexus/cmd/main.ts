import yargs from 'yargs';
import { messageOf, NexusError } from '#shared/errors';
import { StartRefused } from '../app/errors.ts';
import { TeamError } from '../aspects/errors.ts';
import { StorageError } from '../storage/errors.ts';
import { serve } from './serve.ts';
import { up } from './up.ts';

/** Exit codes, the same for every command. Documented in docs/cli.md. */
export const exitCode = { ok: 0, failed: 1, usage: 2 } as const;

/** Runs one command line and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const parser = yargs([...args])
    .scriptName('nexus')
    .usage('$0 <command>\n\nRuns several AI agents as one team.')
    .command(up)
    .command(serve)
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
  try {
    await parser.parseAsync();
    return exitCode.ok;
  } catch (error) {
    console.error(`nexus: ${messageOf(error)}`);
    return codeFor(error);
  }
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
