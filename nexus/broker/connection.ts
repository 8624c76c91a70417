import type { FrameDefinition, PayloadOf, Role } from '#shared/frames/define';
import { encodeFrame } from '#shared/frames/envelope';
import { OutboundFrame } from '#shared/transport/frame-batch';
import type { Identity } from '../credentials/identity.ts';
import { AwaitedAnswers } from './awaited-answers.ts';

/** Where a connection's outgoing frames go. Bounded by whoever owns the socket. */
export interface FrameSink {
  /** Bytes that have not left this process. */
  readonly queuedBytes: number;
  push(frame: OutboundFrame): void;
  /** Sends what is queued, then closes. */
  close(code: number, reason: string): void;
  /** Resolves when the peer shows a sign of life, and never when it is gone. */
  probe(): Promise<void>;
  /** Ends at once. */
  terminate(): void;
  /** Stops and restarts reading from the peer, where the transport can. */
  pause(): void;
  resume(): void;
  /** Runs `action` once, in a later turn, when nothing is queued. Asked for once at a time. */
  onceDrained(action: () => void): void;
}

/** One authenticated peer of the broker. */
export class Connection {
  readonly id: number;
  /** Registered over this connection, by key, as their owners spell them: an Outpost has many. */
  readonly names = new Map<string, string>();
  /** The broker's own requests to this peer. */
  readonly awaited = new AwaitedAnswers();
  /** Set by `outpost.register`: this connection carries a whole host. */
  outpostId: string | undefined;
  readonly #sink: FrameSink;
  readonly #closeListeners = new Map<unknown, (reason: string) => void>();
  #identity: Identity;
  /** Made when first needed: most connections never wait. */
  #drainWaiters: (() => void)[] | undefined;
  #open = true;
  #expelled = false;
  #endReason = '';

  constructor(id: number, identity: Identity, sink: FrameSink) {
    this.id = id;
    this.#identity = identity;
    this.#sink = sink;
  }

  /** Who is on the other end. */
  get identity(): Identity {
    return this.#identity;
  }

  /** Its peer presented a newer token, of the same name and rights. */
  renew(identity: Identity): void {
    this.#identity = identity;
  }

  /** Whether what the peer sends still counts. */
  get isOpen(): boolean {
    return this.#open && !this.#expelled;
  }

  /** Whether it may send what is for this role. */
  holds(role: Role): boolean {
    if (role === 'outpost' && this.outpostId !== undefined) return true;
    return this.identity.roles.has(role);
  }

  get queuedBytes(): number {
    return this.#sink.queuedBytes;
  }

  /** Encodes and queues one frame. */
  push<D extends FrameDefinition>(definition: D, payload: PayloadOf<D>): void {
    this.send(new OutboundFrame(encodeFrame(definition.kind, payload)));
  }

  /** Queues a frame that may be on its way to others too. */
  send(frame: OutboundFrame): void {
    if (this.#open) this.#sink.push(frame);
  }

  close(code: number, reason: string): void {
    if (this.#open) this.#sink.close(code, reason);
  }

  /** As `close`; and whatever the peer still sends until its socket ends is ignored. */
  expel(code: number, reason: string): void {
    this.#expelled = true;
    this.close(code, reason);
  }

  /** Resolves when the peer answers a ping, and never when it is gone. */
  probe(): Promise<void> {
    return this.#sink.probe();
  }

  /** Ends at once, without a goodbye. */
  terminate(): void {
    if (this.#open) this.#sink.terminate();
  }

  pauseReading(): void {
    this.#sink.pause();
  }

  resumeReading(): void {
    this.#sink.resume();
  }

  /** Runs `action` once, when what is queued has left or the connection has ended. */
  onceDrained(action: () => void): void {
    if (this.#drainWaiters) {
      this.#drainWaiters.push(action);
      return;
    }
    this.#drainWaiters = [action];
    if (this.#open) this.#sink.onceDrained(() => this.#drained());
  }

  /**
   * Runs `listener` once, when the peer is gone; at once if it already is. One with the same key
   * takes its place, so that a client which repeats itself adds nothing. The returned function
   * takes the listener back.
   */
  onClose(listener: (reason: string) => void, key: unknown = listener): () => void {
    if (this.#open) this.#closeListeners.set(key, listener);
    else listener(this.#endReason);
    return () => {
      if (this.#closeListeners.get(key) === listener) this.#closeListeners.delete(key);
    };
  }

  /** Called by the gateway, once. */
  ended(reason: string): void {
    this.#open = false;
    this.#endReason = reason;
    const listeners = [...this.#closeListeners.values()];
    this.#closeListeners.clear();
    for (const listener of listeners) listener(reason);
    this.#drained();
  }

  #drained(): void {
    const waiters = this.#drainWaiters ?? [];
    this.#drainWaiters = undefined;
    for (const action of waiters) action();
  }
}
