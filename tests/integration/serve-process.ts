import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testTransport } from './start-nexus.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** What `nexus serve` from source is to Node, before its flags; run it in `root`. */
export const serveArguments: readonly string[] = [
  '--conditions=nexus-source',
  join(root, 'nexus/cmd/nexus.ts'),
  'serve',
];

/** `nexus serve` as a process of its own. */
export interface ServeProcess {
  readonly url: string;
  readonly pid: number;
  /** SIGKILL; resolves once it is gone. */
  kill(): Promise<void>;
}

/** Starts it and waits until it is ready. Killed when the test ends. */
export async function serveProcess(
  t: Pick<TestContext, 'after'>,
  dataDir: string,
  flags: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<ServeProcess> {
  const where = ['--addr', '127.0.0.1:0', '--data-dir', dataDir, '--json'];
  const how = ['--transport', testTransport];
  const child = spawn(process.execPath, [...serveArguments, ...where, ...how, ...flags], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      // Starting from source is mostly compiling; the second start need not do it again.
      NODE_COMPILE_CACHE: join(tmpdir(), 'nexus-test-compile-cache'),
      ...process.env,
      ...environment,
    },
  });
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  t.after(kill);
  const { url } = await readyLine(child);
  return { url, pid: child.pid ?? 0, kill };
}

async function readyLine(child: ChildProcess): Promise<{ url: string }> {
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors += String(chunk);
  });
  const ended = once(child, 'close').then(() => {
    throw new Error(`nexus serve ended before it was ready: ${errors}`);
  });
  ended.catch(() => undefined);
  if (!child.stdout) throw new Error('no output');
  const first = once(createInterface(child.stdout), 'line');
  const [line] = await Promise.race([first, ended]);
  return JSON.parse(String(line)) as { url: string };
}
