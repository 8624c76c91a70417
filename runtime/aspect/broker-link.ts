import { messageOf } from '#shared/errors';
import { ChatDeliver, ChatReaction, ChatReplayEnd, ChatSend } from '#shared/frames/chat';
import { FrameCodec } from '#shared/frames/codec';
import type { FrameDefinition, PayloadOf, ReplyOf } from '#shared/frames/define';
import { isPassing } from '#shared/frames/errors';
import { Deregister, Register, type Registration } from '#shared/frames/registration';
import { SessionRefresh } from '#shared/frames/session-refresh';
import { backoffMs } from '#shared/sys/backoff';
import { type Clock, sleep } from '#shared/sys/clock';
import type { NewId } from '#shared/sys/ids';
import type { Log } from '#shared/sys/log';
import { LinkError, RequestRefused } from '#shared/transport/errors';
import { FrameClient, onPush, type PushHandler } from '#shared/transport/frame-client';
import type { Transport } from '#shared/transport/transport';
import { AspectError } from './errors.ts';
import { type RenewableSession, SessionKeeper } from './session-keeper.ts';

/** Dial failures wait from 1 s up to a minute; a link that dropped never less than 1 s (§3). */
const redial = { firstMs: 1_000, maxMs: 60_000 };
/** How long a name may stay taken by another session: two stale periods. */
const nameTakenForMs = 60_000;
const farewellMs = 2_000;

/** What the broker says of itself when it lets us in. The reference says nothing. */
export interface Admission {
  readonly nexusId: string | undefined;
  /** Id of the newest message there. */
  readonly headId: number | undefined;
}

export interface BrokerLinkDeps {
  readonly dial: (signal: AbortSignal) => Promise<Transport>;
  /** Where newer tokens come from, if those that `dial` uses end. */
  readonly session?: RenewableSession | undefined;
  readonly registration: Registration;
  /** Where to catch up from; asked at every registration. */
  readonly cursor: () => number;
  /**
   * Asked after each registration, before any message is passed on. False drops the link and
   * registers anew, from what `cursor` then says.
   */
  readonly onAdmitted: (admission: Admission) => Promise<boolean>;
  readonly onDeliver: (message: ChatDeliver) => void;
  readonly onReplayBegins: () => void;
  readonly onReplayEnd: (upToId: number) => void;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Log;
}

/** An aspect's lasting link to its broker: dials, registers, catches up, and does so again. */
export class BrokerLink {
  readonly #deps: BrokerLinkDeps;
  readonly #codec = new FrameCodec([
    Register,
    Deregister,
    ChatSend,
    ChatReaction,
    ChatDeliver,
    ChatReplayEnd,
    SessionRefresh,
  ]);
  readonly #keeper: SessionKeeper | undefined;
  readonly #stop = new AbortController();
  #client: FrameClient | undefined;
  /** Settles with the link that is up, or the next one. */
  #ready = Promise.withResolvers<FrameClient>();
  #registered = false;
  #attempt = 0;
  #nameTakenSince: number | undefined;

  constructor(deps: BrokerLinkDeps) {
    this.#deps = deps;
    const { session, clock, log } = deps;
    this.#keeper = session && new SessionKeeper({ session, clock, log, random: Math.random });
    // Whoever waits handles it; without anybody waiting a failed link is not an unhandled error.
    this.#ready.promise.catch(() => undefined);
  }

  /** Keeps the link up until `close`. Rejects with `AspectError` when the broker refuses us. */
  async run(): Promise<void> {
    const { clock, log } = this.#deps;
    while (!this.#stop.signal.aborted) {
      try {
        const client = await this.#connect();
        const { code, reason } = await client.closed;
        log.info({ code, reason }, 'link ended');
      } catch (error) {
        if (this.#stop.signal.aborted) break;
        const fatal = this.#fatal(error);
        if (fatal) {
          this.#ready.reject(fatal);
          throw fatal;
        }
        log.warn({ err: error }, `no link: ${messageOf(error)}`);
      }
      this.#client = undefined;
      this.#unready();
      this.#attempt += 1;
      const waitMs = backoffMs(this.#attempt, redial, Math.random());
      await sleep(clock, waitMs, this.#stop.signal).catch(() => undefined);
    }
  }

  /** Resolves once registered, now or later. Rejects when that can no longer happen. */
  ready(): Promise<unknown> {
    return this.#ready.promise;
  }

  /** Sends a request, again after every reconnect, until the broker has answered it. */
  async request<D extends FrameDefinition>(
    definition: D,
    payload: PayloadOf<D>,
  ): Promise<ReplyOf<D>> {
    for (;;) {
      const client = await this.#ready.promise;
      try {
        return await client.request(definition, payload);
      } catch (error) {
        if (!(error instanceof LinkError)) throw error;
        // Behind a link that is open but silent the same client would be asked again.
        if (this.#client === client) client.close(1001, 'no answer');
        await client.closed;
        this.#stop.signal.throwIfAborted();
      }
    }
  }

  /** Sends what may be lost. */
  send<D extends FrameDefinition>(definition: D, payload: PayloadOf<D>): void {
    this.#client?.send(definition, payload);
  }

  /** Drops the link and makes a new one, which begins with a replay from the cursor. */
  reconnect(reason: string): void {
    this.#client?.close(1000, reason);
  }

  /** Leaves the roster, then ends the link. Safe to call twice. */
  async close(reason: string): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(new LinkError('link.closed', 'the aspect is stopping'));
    this.#unready();
    const client = this.#client;
    if (!client) return;
    const { name, session_id } = this.#deps.registration;
    await Promise.race([
      client.request(Deregister, { name, session_id, reason }).catch(() => undefined),
      sleep(this.#deps.clock, farewellMs),
    ]);
    client.close(1000, reason);
    await client.closed;
  }

  async #connect(): Promise<FrameClient> {
    const { dial, clock, newId } = this.#deps;
    const transport = await dial(this.#stop.signal);
    if (this.#stop.signal.aborted) transport.close(1000, 'stopping');
    this.#stop.signal.throwIfAborted();
    const pushes = new HeldPushes(this.#deps);
    const codec = this.#codec;
    const client = new FrameClient(transport, { codec, clock, newId }, pushes.handlers);
    this.#client = client;
    try {
      if (!(await this.#register(client))) throw new LinkError('link.closed', 'registering anew');
    } catch (error) {
      client.close(1000, 'not registered');
      throw error;
    }
    pushes.release();
    this.#attempt = 0;
    this.#nameTakenSince = undefined;
    this.#registered = true;
    void this.#keeper?.keep(client);
    this.#ready.resolve(client);
    return client;
  }

  /** Whether we may go on with this registration. */
  async #register(client: FrameClient): Promise<boolean> {
    const { registration, cursor, onReplayBegins, onAdmitted } = this.#deps;
    onReplayBegins();
    const { nexus_id, head_id } = await client.request(Register, {
      ...registration,
      since_msg_id: cursor(),
      request_replay: true,
    });
    return onAdmitted({ nexusId: nexus_id, headId: head_id });
  }

  /** From now on requests wait for the next link, or fail when there will be none. */
  #unready(): void {
    if (this.#registered) {
      // Only then: whoever waits already is to be told about the next link.
      this.#registered = false;
      this.#ready = Promise.withResolvers();
      this.#ready.promise.catch(() => undefined);
    }
    if (this.#stop.signal.aborted) this.#ready.reject(this.#stop.signal.reason);
  }

  /** What waiting does not mend; undefined for what it may. */
  #fatal(error: unknown): AspectError | undefined {
    const { clock, registration } = this.#deps;
    if (error instanceof AspectError) return error;
    if (error instanceof LinkError && error.code === 'link.unauthorized') {
      return new AspectError('aspect.refused', error.message, { cause: error });
    }
    if (!(error instanceof RequestRefused) || isPassing(error.code)) return undefined;
    if (error.code !== 'conflict') {
      return new AspectError('aspect.refused', error.message, { cause: error });
    }
    const now = clock.monotonic();
    this.#nameTakenSince ??= now;
    if (now - this.#nameTakenSince < nameTakenForMs) return undefined;
    const message = `${registration.name} stays registered by another session; stop that one first`;
    return new AspectError('aspect.name_taken', message, { cause: error });
  }
}

/** Keeps what a new link brings until it is known whose messages they are. */
class HeldPushes {
  readonly handlers: readonly PushHandler[];
  #held: (() => void)[] | undefined = [];

  constructor({ onDeliver, onReplayEnd }: BrokerLinkDeps) {
    this.handlers = [
      onPush(ChatDeliver, (message) => this.#pass(() => onDeliver(message))),
      onPush(ChatReplayEnd, ({ up_to_id }) => this.#pass(() => onReplayEnd(up_to_id))),
    ];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const pass of held) pass();
  }

  #pass(action: () => void): void {
    if (this.#held) this.#held.push(action);
    else action();
  }
}
