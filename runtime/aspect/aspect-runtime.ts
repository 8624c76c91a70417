import { randomUUID } from 'node:crypto';
import type { AspectHome } from '#shared/config/aspect-json';
import type { ChatDeliver } from '#shared/frames/chat';
import type { Clock } from '#shared/sys/clock';
import type { NewId } from '#shared/sys/ids';
import type { Log } from '#shared/sys/log';
import type { Transport } from '#shared/transport/transport';
import { Funnel } from '../funnel/funnel.ts';
import { composePrompt } from '../funnel/prompt.ts';
import type { Provider } from '../providers/provider.ts';
import { SessionStore } from '../session/session-store.ts';
import { type Admission, BrokerLink } from './broker-link.ts';
import { CursorFile, type HomeMark } from './cursor-file.ts';
import { AspectError } from './errors.ts';
import { Inbox } from './inbox.ts';
import type { RenewableSession } from './session-keeper.ts';

const defaults = { turnTimeoutS: 600, parallelSessions: 4, repliesPerThread: 10 };

/** Messages taken in and not finished; more are fetched later by replay (§6). */
const maxOpenMessages = 200;

export interface AspectRuntimeDeps {
  readonly home: AspectHome;
  readonly provider: Provider;
  readonly model?: string | undefined;
  readonly dial: (signal: AbortSignal) => Promise<Transport>;
  /** Where newer tokens come from, if those that `dial` uses end. */
  readonly session?: RenewableSession | undefined;
  /** Everyone with their part, as in `keel (coordinator), wren (reviewer)`; may be empty. */
  readonly team: string;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
}

/** One aspect at work: its link to the broker, its inbox, its sessions, its funnel. */
export class AspectRuntime {
  readonly #deps: AspectRuntimeDeps;
  #inbox: Inbox;
  /** Whose messages the inbox counts; unknown before the first admission of a new home. */
  #nexusId: string | undefined;
  readonly #cursor: CursorFile;
  readonly #sessions: SessionStore;
  readonly #funnel: Funnel;
  readonly #link: BrokerLink;
  readonly #stop = new AbortController();
  readonly #working = new Set<Promise<void>>();
  #stopped: Promise<void> | undefined;

  /** Opens the home. Throws `SessionError` when another process has it. */
  static async open(deps: AspectRuntimeDeps): Promise<AspectRuntime> {
    const { home, clock, newId, log } = deps;
    const cursor = new CursorFile(home.path);
    const mark = await cursor.load();
    const parallelSessions = home.config.limits?.parallel_sessions ?? defaults.parallelSessions;
    const sessions = await SessionStore.open(home.path, {
      aspect: home.config.name,
      clock,
      newId,
      log,
      limits: { parallelSessions },
    });
    return new AspectRuntime(deps, mark, cursor, sessions);
  }

  private constructor(
    deps: AspectRuntimeDeps,
    mark: HomeMark,
    cursor: CursorFile,
    sessions: SessionStore,
  ) {
    this.#deps = deps;
    this.#inbox = new Inbox(mark, maxOpenMessages);
    this.#nexusId = mark.nexusId;
    this.#cursor = cursor;
    this.#sessions = sessions;
    const { home, provider, model, team, dial, session, clock, newId, log } = deps;
    const { config } = home;
    this.#link = new BrokerLink({
      dial,
      session,
      registration: {
        name: config.name,
        session_id: randomUUID(),
        context_mode: config.context_mode,
        provider: provider.name,
        model: model ?? provider.defaultModel,
        port: config.port ?? 0,
        pid: process.pid,
        started_at: new Date(clock.now()).toISOString(),
        capabilities: config.capabilities ?? [],
        home: home.path,
        ...(config.metadata && { metadata: config.metadata }),
      },
      cursor: () => this.#inbox.mark.cursor,
      onAdmitted: (admission) => this.#admitted(admission),
      onDeliver: (message) => this.#take(message),
      onReplayBegins: () => this.#inbox.replayBegins(),
      onReplayEnd: (upToId) => void this.#caughtUp(upToId),
      clock,
      newId,
      log,
    });
    this.#funnel = new Funnel({
      home,
      provider,
      model,
      sessions,
      room: this.#link,
      prompt: () => composePrompt(home, team),
      turnTimeoutMs: (config.limits?.turn_timeout_s ?? defaults.turnTimeoutS) * 1000,
      repliesPerThread: config.limits?.replies_per_thread ?? defaults.repliesPerThread,
      clock,
      newId,
      log,
      signal: this.#stop.signal,
    });
  }

  /** Works until `stop`. Rejects with `AspectError` when the broker does not let it in. */
  async run(): Promise<void> {
    try {
      await this.#link.run();
    } finally {
      await this.stop('link ended');
    }
  }

  /** Resolves once registered for the first time. */
  async ready(): Promise<void> {
    await this.#link.ready();
  }

  /** Cancels what runs (it is redone after the next start), leaves, closes. Safe to call twice. */
  stop(reason: string): Promise<void> {
    this.#stopped ??= this.#close(reason);
    return this.#stopped;
  }

  async #close(reason: string): Promise<void> {
    this.#stop.abort(new Error(`stopping: ${reason}`));
    await this.#link.close(reason);
    await Promise.allSettled(this.#working);
    await this.#sessions.close();
    await this.#saveCursor();
  }

  /**
   * Checks that this is the instance whose messages we know. Another one (a new database, or an
   * older one restored) uses the same ids for other messages: the home starts over with it, and
   * its conversations of before are set aside, not deleted.
   */
  async #admitted({ nexusId, headId }: Admission): Promise<boolean> {
    const isOther =
      nexusId !== undefined && this.#nexusId !== undefined && nexusId !== this.#nexusId;
    const isOlder = headId !== undefined && this.#inbox.mark.cursor > headId;
    if (!isOther && !isOlder) {
      this.#nexusId ??= nexusId;
      return true;
    }
    if (this.#working.size > 0) {
      throw new AspectError('aspect.other_instance', 'the broker is another instance than before');
    }
    const folder = await this.#sessions.setAside(`before-${this.#deps.newId()}`);
    this.#deps.log.warn(
      { folder },
      'another broker instance: earlier conversations were set aside',
    );
    this.#inbox = new Inbox({ cursor: 0, done: [] }, maxOpenMessages);
    this.#nexusId = nexusId;
    await this.#saveCursor();
    return false;
  }

  #take(message: ChatDeliver): void {
    if (this.#stop.signal.aborted || !this.#inbox.take(message)) return;
    const work = this.#handle(message).finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  async #handle(message: ChatDeliver): Promise<void> {
    const { log } = this.#deps;
    try {
      await this.#funnel.handle(message);
    } catch (error) {
      // Unfinished on purpose: the cursor stays, and the message comes again after a restart.
      if (!this.#stop.signal.aborted) log.error({ err: error, message: message.id }, 'turn lost');
      return;
    }
    this.#inbox.finish(message.id);
    await this.#saveCursor();
    if (this.#inbox.mustCatchUp) this.#link.reconnect('catching up');
  }

  async #caughtUp(upToId: number): Promise<void> {
    this.#inbox.caughtUp(upToId);
    await this.#saveCursor();
  }

  /** Never rejects: an old mark costs only a look at what is known to be finished. */
  async #saveCursor(): Promise<void> {
    try {
      await this.#cursor.save({ ...this.#inbox.mark, nexusId: this.#nexusId });
    } catch (error) {
      this.#deps.log.error({ err: error }, 'cursor not saved');
    }
  }
}
