import { join } from 'node:path';
import type { AspectHome } from '#shared/config/aspect-json';
import { nameKey } from '#shared/config/names';
import type { Clock } from '#shared/sys/clock';
import { Closers } from '#shared/sys/closers';
import { MemoryTransport } from '#shared/transport/memory-transport';
import type { Transport } from '#shared/transport/transport';
import { aspectProcess, describeTeam } from '../aspects/child-process.ts';
import type { Team } from '../aspects/homes.ts';
import { Supervisor } from '../aspects/supervisor.ts';
import type { Broker } from './broker.ts';

/** Longest wait for the team to come up; who is not there by then is reported as starting. */
const startWaitMs = 20_000;

/** A runtime that runs in this process. */
export interface EmbeddedAspect {
  close(): Promise<void>;
}

export interface TeamDeps {
  readonly broker: Broker;
  readonly team: Team;
  /** The runtime's program for aspects with a process of their own. */
  readonly program: string;
  /** Runs the coordinator here. The broker's own end of the link is already attached by `dial`. */
  readonly embed: (
    home: AspectHome,
    team: string,
    dial: () => Transport,
  ) => Promise<EmbeddedAspect>;
  readonly provider?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Told about each member as soon as something is known. */
  readonly onMember: (member: Member) => void;
  /** Ends the wait for those that are not there yet. */
  readonly signal?: AbortSignal;
}

/** What became of one member of the team. */
export interface Member {
  readonly name: string;
  readonly title: string;
  readonly state: 'live' | 'starting' | 'failed';
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  /** Why it failed, for people. */
  readonly problem?: string | undefined;
}

export interface RunningTeam {
  readonly members: readonly Member[];
  close(): Promise<void>;
}

/** Starts the coordinator in this process and everyone else in processes of their own. */
export async function startTeam(deps: TeamDeps): Promise<RunningTeam> {
  const { broker, team, clock } = deps;
  const closers = new Closers();
  const homes = [...(team.frame ? [team.frame] : []), ...team.aspects];
  const description = describeTeam(homes);
  const progress = new Progress(homes, deps);
  const supervisor = new Supervisor({
    clock,
    log: broker.log,
    onGivenUp: (name, why, lastLine) => progress.failed(name, lastLine || why),
  });
  closers.add(() => supervisor.close());
  try {
    for (const home of team.aspects) {
      const { name } = home.config;
      if (broker.isRetired(name)) {
        progress.failed(name, retired(name));
        continue;
      }
      supervisor.start(
        aspectProcess(home, {
          program: deps.program,
          brokerUrl: broker.url,
          brokerPin: broker.pin,
          token: await broker.issueToken(name),
          team: description,
          provider: deps.provider,
          logFile: broker.dataDir.file(join('logs', `${name}.log`)),
          env: deps.env,
        }),
      );
    }
    const frameName = team.frame?.config.name;
    if (frameName !== undefined && broker.isRetired(frameName)) {
      progress.failed(frameName, retired(frameName));
    } else if (team.frame) {
      const { name } = team.frame.config;
      // Its token is never used, but it marks where the coordinator's life begins.
      if (!broker.knows(name)) await broker.issueToken(name);
      const embedded = await deps.embed(team.frame, description, () => {
        const [ours, theirs] = MemoryTransport.pair();
        broker.attach(name, ours);
        return theirs;
      });
      closers.add(() => embedded.close());
    }
    await progress.settled();
    return { members: progress.members(), close: () => closers.closeAll() };
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

const retired = (name: string): string =>
  `it is retired; take it back with: nexus aspect resurrect ${name}`;

/** Follows the members until each is live or has failed. */
class Progress {
  readonly #deps: TeamDeps;
  readonly #members: Map<string, Member>;
  readonly #done = Promise.withResolvers<void>();
  readonly #cancel: (() => void)[] = [];

  constructor(homes: readonly AspectHome[], deps: TeamDeps) {
    this.#deps = deps;
    this.#members = new Map(
      homes.map(({ config: { name, title = 'aspect' } }) => [
        nameKey(name),
        { name, title, state: 'starting' },
      ]),
    );
    const { broker, clock, signal } = deps;
    this.#cancel.push(
      broker.roster.onRegistered((row) => {
        const { provider, model } = row;
        this.#update(row.name, { state: 'live', provider, model });
      }),
      clock.after(startWaitMs, () => this.#done.resolve()),
    );
    if (signal?.aborted) this.#done.resolve();
    signal?.addEventListener('abort', () => this.#done.resolve(), { once: true });
  }

  failed(name: string, problem: string): void {
    this.#update(name, { state: 'failed', problem });
  }

  members(): Member[] {
    return [...this.#members.values()];
  }

  async settled(): Promise<void> {
    if (this.#members.size === 0) this.#done.resolve();
    await this.#done.promise;
    for (const cancel of this.#cancel) cancel();
  }

  #update(name: string, change: Partial<Member>): void {
    const before = this.#members.get(nameKey(name));
    if (!before) return;
    const member = { ...before, ...change };
    this.#members.set(nameKey(name), member);
    this.#deps.onMember(member);
    if (this.members().every(({ state }) => state !== 'starting')) this.#done.resolve();
  }
}
