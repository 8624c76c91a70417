import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AspectRuntime } from '#runtime/aspect/aspect-runtime';
import type { Delta, Provider, ProviderRequest } from '#runtime/providers/provider';
import { loadAspectHome } from '#shared/config/aspect-json';
import { systemClock } from '#shared/sys/clock';
import { newUlid } from '#shared/sys/ids';
import { silentLog } from '#shared/sys/log';
import { dial } from '#shared/transport/ws-dial';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A home folder that goes when the test ends. */
export function makeHome(t: Pick<TestContext, 'after'>, config: object): string {
  const home = mkdtempSync(join(tmpdir(), 'nexus-home-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const whole = { context_mode: 'thread', provider: 'loopback', ...config };
  writeFileSync(join(home, 'aspect.json'), JSON.stringify(whole));
  return home;
}

/** Answers with what the test says, when the test says so. */
export class HeldProvider implements Provider {
  readonly name = 'held';
  readonly defaultModel = 'held';
  readonly requests: ProviderRequest[] = [];
  #answer = Promise.withResolvers<string>();

  /** Every request, held ones included, is answered with this from now on. */
  answers(text: string): void {
    this.#answer.resolve(text);
    this.#answer = Promise.withResolvers();
    this.#answer.resolve(text);
  }

  async *stream(request: ProviderRequest): AsyncGenerator<Delta, void, undefined> {
    this.requests.push(request);
    const { signal } = request;
    const aborted = once(signal, 'abort').then(() => {
      throw signal.reason;
    });
    aborted.catch(() => undefined);
    yield { type: 'text', text: await Promise.race([this.#answer.promise, aborted]) };
    const usage = { tokens: { in: 1, out: 1, cacheHit: 0, cacheFill: 0 } };
    yield { type: 'done', stopReason: 'end_turn', usage, model: this.defaultModel };
  }
}

export interface TestAspect {
  readonly runtime: AspectRuntime;
  /** How often it has dialled. */
  dials(): number;
  /** Stops it, as a signal would; safe to call twice. */
  stop(): Promise<void>;
}

/** Runs an aspect in this process, over a real socket. It ends with the test. */
export async function startAspect(
  t: Pick<TestContext, 'after'>,
  options: { url: string; token: string; home: string; provider: Provider },
): Promise<TestAspect> {
  const { url, token, home, provider } = options;
  let dials = 0;
  const runtime = await AspectRuntime.open({
    home: loadAspectHome(home),
    provider,
    dial: (signal) => {
      dials += 1;
      return dial(url, token, { signal });
    },
    team: '',
    clock: systemClock,
    newId: newUlid,
    log: silentLog,
  });
  const running = runtime.run();
  running.catch(() => undefined);
  const stop = async () => {
    await runtime.stop('the test ends');
    await running;
  };
  t.after(stop);
  return { runtime, dials: () => dials, stop };
}

/** `runtime/cmd/aspect.ts` as a process of its own. Killed when the test ends. */
export function aspectProcess(
  t: Pick<TestContext, 'after'>,
  options: { home: string; args?: readonly string[]; env: Record<string, string> },
): AspectProcess {
  const { home, args = [], env } = options;
  const program = join(root, 'runtime', 'cmd', 'aspect.ts');
  const child = spawn(
    process.execPath,
    ['--conditions=nexus-source', program, '--home', home, ...args],
    {
      cwd: root,
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const aspect = new AspectProcess(child);
  t.after(() => aspect.kill());
  return aspect;
}

export class AspectProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stderr = '';

  constructor(child: ChildProcess) {
    this.child = child;
    this.ended = once(child, 'close').then(([code]) => code as number | null);
    child.stderr?.on('data', (data) => {
      this.stderr += String(data);
    });
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}
