import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A server gets this long to end by itself. A profile is written in that time, too. */
const stopGraceMs = 10_000;

/** Lines kept to explain a failed start. */
const maxLinesKept = 20;

export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Where the line is that tells that it listens. */
  readonly readyOn: 'stdout' | 'stderr';
  /** What to take from that line; lines that give nothing are passed over. */
  findReady(line: string): string | undefined;
}

/** A server started for a measurement, and what it costs the machine. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #found: Promise<string>;
  #ready = '';

  /** Starts it. Whoever does so calls `stop`, also when `whenReady` rejects. */
  constructor(command: ServerCommand) {
    const { program, args, cwd, env = process.env } = command;
    this.#child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#found = findReadyLine(this.#child, command);
    // Rejects for whoever waits; nobody else has to.
    this.#found.catch(() => undefined);
  }

  /** What `findReady` took from the line. */
  get ready(): string {
    return this.#ready;
  }

  /** Rejects, with what it said, when it ends before it is ready or cannot be started. */
  async whenReady(): Promise<void> {
    this.#ready = await this.#found;
  }

  /** CPU time used so far, in user and system mode, by all threads. Steps of a clock tick. */
  cpuMs(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'latin1');
    // The second field is the program's name, in parentheses, and may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [userTicks, systemTicks] = [Number(fields[11]), Number(fields[12])];
    return (userTicks + systemTicks) * msPerTick();
  }

  /** Resident memory in MB. */
  rssMb(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'latin1');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
  }

  /** Files and sockets that it has open. */
  openFiles(): number {
    return readdirSync(`/proc/${this.#child.pid}/fd`).length;
  }

  /** Ends it, by force if it takes too long. Safe to call twice. */
  async stop(): Promise<void> {
    const force = setTimeout(() => this.#child.kill('SIGKILL'), stopGraceMs);
    await this.#end('SIGTERM');
    clearTimeout(force);
  }

  /** Ends it as a crash would, without a chance to tidy up. Safe to call twice. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }
}

function findReadyLine(
  child: ChildProcess,
  { program, readyOn, findReady }: ServerCommand,
): Promise<string> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    for (const name of ['stdout', 'stderr'] as const) {
      readLines(child[name], (line) => {
        if (said.length < maxLinesKept) said.push(line);
        const found = name === readyOn ? findReady(line) : undefined;
        if (found !== undefined) resolve(found);
      });
    }
    child.once('error', reject);
    child.once('close', () => reject(new Error(`${program} ended: ${said.join(' | ')}`)));
  });
}

let cachedMsPerTick: number | undefined;

function msPerTick(): number {
  cachedMsPerTick ??= 1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return cachedMsPerTick;
}

/** Reads to the end, so that the pipe never fills. */
function readLines(stream: Readable | null, take: (line: string) => void): void {
  if (stream) createInterface({ input: stream }).on('line', take);
}
