import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchContext } from '../bench-case.ts';
import type { ServerProcess } from '../process.ts';
import { repository } from '../workbench.ts';

const tokensAtOnce = 50;

/** A broker of ours in a fresh data directory, as an operator would run it. */
export class NexusServer {
  readonly process: ServerProcess;
  readonly operatorToken: string;
  readonly url: string;

  private constructor(process: ServerProcess, operatorToken: string) {
    this.process = process;
    this.operatorToken = operatorToken;
    this.url = process.ready;
  }

  /** `folder` is the data directory; one that was used before is taken up again. */
  static async start(
    { workbench, options }: BenchContext,
    folder = workbench.makeFolder('nexus'),
  ): Promise<NexusServer> {
    const profile = options.profileDir
      ? ['--cpu-prof', `--cpu-prof-dir=${options.profileDir}`, '--cpu-prof-interval=500']
      : [];
    const server = await workbench.start({
      program: process.execPath,
      args: [
        ...profile,
        '--conditions=nexus-source',
        join(repository, 'nexus', 'cmd', 'nexus.ts'),
        'serve',
        '--addr=127.0.0.1:0',
        `--data-dir=${folder}`,
        '--json',
        '--max-connections=4096',
        '--max-connections-per-address=4096',
      ],
      cwd: repository,
      readyOn: 'stdout',
      findReady,
    });
    return new NexusServer(server, readFileSync(join(folder, 'operator.token'), 'utf8').trim());
  }

  /** A token for each name. Some at a time: one by one, thousands take long. */
  async issueTokens(names: readonly string[]): Promise<string[]> {
    const tokens: string[] = [];
    for (let next = 0; next < names.length; next += tokensAtOnce) {
      const some = names.slice(next, next + tokensAtOnce);
      tokens.push(...(await Promise.all(some.map((name) => this.issueToken(name)))));
    }
    return tokens;
  }

  /** A token for an aspect. */
  async issueToken(name: string): Promise<string> {
    const response = await fetch(`${this.url}/api/admin/tokens`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.operatorToken}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ name }),
    });
    const { token } = (await response.json()) as { token?: string };
    if (!token) throw new Error(`no token for ${name}: HTTP ${response.status}`);
    return token;
  }
}

function findReady(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  const { event, url } = JSON.parse(line) as { event?: string; url?: string };
  return event === 'ready' ? url : undefined;
}
