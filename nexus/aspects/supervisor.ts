import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Clock } from '#shared/sys/clock';
import type { Log } from '#shared/sys/log';
import { RestartPolicy } from './restart-policy.ts';

/** How long a process may take to end after SIGTERM. */
const stopGraceMs = 5_000;

/** One process to keep running. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Where its output goes. */
  readonly logFile: string;
}

export interface SupervisorDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** It ended and stays down. `lastLine` is the last thing it wrote. */
  readonly onGivenUp: (name: string, why: string, lastLine: string) => void;
}

/** Keeps processes running: restarts with backoff, gives up on those that keep ending. */
export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #keepers: Keeper[] = [];

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
  }

  start(spec: ProcessSpec): void {
    const keeper = new Keeper(spec, this.#deps);
    this.#keepers.push(keeper);
    keeper.start();
  }

  /** Ends all of them: SIGTERM, and SIGKILL after a grace. Safe to call twice. */
  async close(): Promise<void> {
    await Promise.all(this.#keepers.map((keeper) => keeper.stop()));
  }
}

class Keeper {
  readonly #spec: ProcessSpec;
  readonly #deps: SupervisorDeps;
  readonly #policy = new RestartPolicy();
  readonly #output: WriteStream;
  #child: ChildProcess | undefined;
  #cancelRestart: () => void = () => undefined;
  #stopping = false;
  #lastLine = '';

  constructor(spec: ProcessSpec, deps: SupervisorDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#output = createWriteStream(spec.logFile, { flags: 'a', mode: 0o600 });
    // A log that cannot be written (a full disk) costs its lines, and nothing else.
    this.#output.on('error', (error) =>
      deps.log.warn({ err: error, aspect: spec.name }, 'aspect log not written'),
    );
  }

  start(): void {
    const { command, args, cwd, env, name } = this.#spec;
    const { clock } = this.#deps;
    const startedAt = clock.monotonic();
    // The channel is what tells the child that its supervisor is gone, however it went.
    const stdio = ['ignore', 'pipe', 'pipe', 'ipc'] as const;
    const child = spawn(command, args, { cwd, env, stdio: [...stdio] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface(stream).on('line', (line) => this.#write(line));
    }
    child.once('error', (error) => this.#write(error.message));
    child.once('close', (code, signal) => {
      this.#child = undefined;
      if (this.#stopping) return;
      this.#deps.log.warn({ aspect: name, code, signal }, 'aspect process ended');
      this.#decide(startedAt, code);
    });
    this.#deps.log.info({ aspect: name, pid: child.pid }, 'aspect process started');
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelRestart();
    const child = this.#child;
    if (child) {
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      const cancelKill = this.#deps.clock.after(stopGraceMs, () => {
        child.kill('SIGKILL');
        // Its own children may still hold the pipes; `close` must not wait for them.
        child.stdout?.destroy();
        child.stderr?.destroy();
      });
      await ended;
      cancelKill();
    }
    if (!this.#output.writableEnded) this.#output.end();
  }

  #write(line: string): void {
    if (line !== '') this.#lastLine = line;
    if (!this.#output.writableEnded) this.#output.write(`${line}\n`);
  }

  #decide(startedAt: number, code: number | null): void {
    const { clock, log, onGivenUp } = this.#deps;
    const decision = this.#policy.ended(startedAt, clock.monotonic(), code, Math.random());
    if ('giveUp' in decision) {
      log.error({ aspect: this.#spec.name, why: decision.giveUp }, 'aspect stays down');
      onGivenUp(this.#spec.name, decision.giveUp, this.#lastLine);
      return;
    }
    this.#cancelRestart = clock.after(decision.restartInMs, () => this.start());
  }
}
