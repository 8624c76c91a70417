import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#shared/errors';
import type { BenchContext } from '../bench-case.ts';
import type { ServerProcess } from '../process.ts';

/**
 * Starts a nats-server on a free port, with its files in `folder`. Returns undefined, with a note,
 * when there is none or it does not know what `settings` ask for: the peer is absent then.
 */
export async function startNatsServer(
  context: BenchContext,
  settings: (folder: string) => readonly string[] = () => [],
  folder = context.workbench.makeFolder('nats'),
): Promise<ServerProcess | undefined> {
  const { workbench, options, note } = context;
  const config = join(folder, 'nats.conf');
  const lines = ['host: "127.0.0.1"', 'port: -1', ...settings(folder)];
  writeFileSync(config, `${lines.join('\n')}\n`);
  try {
    return await workbench.start({
      program: options.natsServer,
      args: ['-c', config],
      cwd: folder,
      readyOn: 'stderr',
      findReady: (line) => /Listening for client connections on \S+:(\d+)/.exec(line)?.[1],
    });
  } catch (error) {
    note(`no peer: ${messageOf(error)}; name another nats-server with --nats-server`);
    return undefined;
  }
}
