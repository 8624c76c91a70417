import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from '../eventually.ts';

/** Longest wait for anything that should happen. */
const _patienceMs = 60_000;

/** The checkout. */
export const repository = fileURLToPath(new URL('../..', import.meta.url));
/** The program, run from source. */
export const program = [
  '--conditions=nexus-source',
  join(repository, 'nexus', 'cmd', 'nexus.ts'),
] as const;

/** A test, or whatever else the thing lives for. */
export interface Owner {
  after(close: () => Promise<void>): void;
}

/** A folder of its own with a copy of the sample team, as a newcomer has it. */
export class Place {
  readonly folder: string;
  readonly #runs: Run[] = [];

  /** `empty` leaves the sample team out. */
  constructor(owner: Owner, { empty = false } = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'nexus-e2e-'));
    owner.after(async () => {
      await Promise.all(this.#runs.map((run) => run.kill()));
      for (const { pid } of this.aspectProcesses()) process.kill(pid, 'SIGKILL');
      await eventually(() => this.aspectProcesses().length === 0, 'leftovers end');
      rmSync(this.folder, { recursive: true, force: true });
    });
    if (empty) return;
    const source = join(repository, 'agents');
    for (const name of readdirSync(source)) {
      const home = join(source, name);
      // Only what makes a home: nothing that an aspect wrote while it ran.
      for (const file of readdirSync(home)) {
        if (file !== 'aspect.json' && !file.endsWith('.md')) continue;
        cpSync(join(home, file), join(this.folder, 'agents', name, file));
      }
    }
  }

  /** Its commands end with it. */
  adopt(run: Run): void {
    this.#runs.push(run);
  }

  file(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Makes or replaces a home's `aspect.json`. */
  writeAspect(folder: string, content: string | object): void {
    mkdirSync(this.file('agents', folder), { recursive: true });
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    writeFileSync(this.file('agents', folder, 'aspect.json'), text);
  }

  readJson(...names: string[]): unknown {
    return JSON.parse(readFileSync(this.file(...names), 'utf8'));
  }

  /** Aspects with a process of their own whose home is in this folder. */
  aspectProcesses(): { pid: number; name: string }[] {
    const rows = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
    const homes = `--home ${this.file('agents')}/`;
    return rows.flatMap((row) => {
      const [, pid, args] = /^\s*(\d+) (.*)$/.exec(row) ?? [];
      const name = args?.split(homes)[1];
      return pid && name ? [{ pid: Number(pid), name }] : [];
    });
  }

  /** Whether nobody holds the data directory and nothing says that a broker runs. */
  get isQuiet(): boolean {
    return !existsSync(this.file('data', 'broker.json')) && this.aspectProcesses().length === 0;
  }
}

/** An environment in which no real model can be reached, and nothing of ours is set. */
export function plainEnv(more: Record<string, string> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(NEXUS_|ANTHROPIC_|OLLAMA_|NODE_|FORCE_COLOR|NO_COLOR)/.test(name),
  );
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...noModels, ...more };
}

const noModels = { OLLAMA_HOST: 'http://127.0.0.1:1' };

export interface RunOptions {
  readonly env?: Record<string, string>;
  /** Standard input; empty unless given. */
  readonly input?: string;
  /** Another program than the source of this checkout. */
  readonly program?: readonly string[];
  readonly cwd?: string;
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One running command. */
export class Run {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  readonly lines: string[] = [];
  #stderr = '';

  constructor(place: Place, args: readonly string[], options: RunOptions = {}) {
    const [command = process.execPath, ...before] = options.program ?? [
      process.execPath,
      ...program,
    ];
    const child = spawn(command, [...before, ...args], {
      cwd: options.cwd ?? place.folder,
      env: plainEnv(options.env),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child = child;
    place.adopt(this);
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
    createInterface(child.stdout).on('line', (line) => this.lines.push(line));
    child.stderr?.on('data', (data) => {
      this.#stderr += String(data);
    });
    this.ended = once(child, 'close').then(([code, signal]) => ({
      code,
      signal,
      stdout: this.lines.map((line) => `${line}\n`).join(''),
      stderr: this.#stderr,
    }));
  }

  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.ended;
  }

  /** The events that `--json` has printed. */
  events(): Record<string, unknown>[] {
    return this.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Waits for an event of `--json`. */
  async event(name: string): Promise<Record<string, unknown>> {
    const find = () => this.events().find(({ event }) => event === name);
    const gone = () => this.child.exitCode !== null || this.child.signalCode !== null;
    await eventually(
      () => find() !== undefined || gone(),
      () => `event ${name}; so far: ${this.lines.join('\n')}\n${this.#stderr}`,
    );
    const event = find();
    if (!event) throw new Error(`it ended before ${name}: ${this.#stderr}`);
    return event;
  }
}

/** Runs a command to its end. */
export function nexus(
  place: Place,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  return new Run(place, args, options).ended;
}

/** Starts the team and waits until it is ready. */
export async function up(
  place: Place,
  flags: readonly string[] = [],
  options: RunOptions = {},
): Promise<Run> {
  const args = ['up', '--json', '--addr', '127.0.0.1:0', ...flags];
  const run = new Run(place, args, options);
  await run.event('ready');
  return run;
}
