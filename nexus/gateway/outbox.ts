import { FrameBatch, type OutboundFrame } from '#shared/transport/frame-batch';
import { canBatch, canPause, canProbe, type Transport } from '#shared/transport/transport';
import type { FrameSink } from '../broker/connection.ts';

/** What may wait for one reader. Beyond it the connection is closed and catches up by replay. */
export interface OutboxLimits {
  /** Frames that were not handed to the transport yet. */
  readonly maxFrames: number;
  /** Bytes here and in the transport. */
  readonly maxBytes: number;
}

/** Writes every outbox that has something, once per turn of the event loop. */
export class OutboxFlusher {
  #dirty: Outbox[] = [];

  /** Outboxes that hold the same frames share one batch, so it is framed and joined once. */
  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    let batch: FrameBatch | undefined;
    for (const outbox of dirty) batch = outbox.flush(batch);
  }

  add(outbox: Outbox): void {
    if (this.#dirty.push(outbox) === 1) process.nextTick(() => this.#flush());
  }
}

/** The bounded queue in front of one transport. */
export class Outbox implements FrameSink {
  readonly #transport: Transport;
  readonly #limits: OutboxLimits;
  readonly #flusher: OutboxFlusher;
  #frames: OutboundFrame[] = [];
  #bytes = 0;
  #overflowed = false;
  #heldBack = false;
  #onDrained: (() => void) | undefined;

  constructor(transport: Transport, limits: OutboxLimits, flusher: OutboxFlusher) {
    this.#transport = transport;
    this.#limits = limits;
    this.#flusher = flusher;
  }

  /** Bytes that have not left this process. */
  get queuedBytes(): number {
    return this.#bytes + this.#transport.queuedBytes;
  }

  /** Queues a frame for this turn's write. Overflow drops the queue and closes with 1013. */
  push(frame: OutboundFrame): void {
    if (this.#overflowed) return;
    const { maxFrames, maxBytes } = this.#limits;
    this.#bytes += frame.bytes;
    if (this.#frames.length >= maxFrames || this.queuedBytes > maxBytes) {
      this.#overflowed = true;
      this.#frames = [];
      this.#bytes = 0;
      this.#transport.close(1013, 'reading too slowly; reconnect and ask for replay');
      return;
    }
    if (this.#frames.push(frame) === 1) this.#flusher.add(this);
  }

  /** Hands over what is queued; returns the batch it used, for the next outbox to share. */
  flush(shared?: FrameBatch): FrameBatch | undefined {
    if (this.#frames.length === 0) return shared;
    const batch = shared?.holds(this.#frames) ? shared : new FrameBatch(this.#frames);
    this.#frames = [];
    this.#bytes = 0;
    if (canBatch(this.#transport)) this.#transport.sendBatch(batch);
    else for (const { text } of batch.frames) this.#transport.send(text);
    if (this.#onDrained) this.drained();
    return batch;
  }

  /** Runs `action` once, in a later turn, when nothing is queued here or in the transport. */
  onceDrained(action: () => void): void {
    this.#onDrained = action;
    this.drained();
  }

  /** Told by the transport; a flush whose bytes all left at once needs no telling. */
  drained(): void {
    const action = this.#onDrained;
    if (!action || this.queuedBytes > 0) return;
    this.#onDrained = undefined;
    setImmediate(action);
  }

  close(code: number, reason: string): void {
    this.flush();
    this.#transport.close(code, reason);
  }

  /** True while the peer's messages wait for us. */
  get isHeldBack(): boolean {
    return this.#heldBack;
  }

  /**
   * A transport that cannot be asked is alive for as long as it is open. Who sends faster than we
   * read is alive, too, and its answer would be behind the rest.
   */
  probe(): Promise<void> {
    if (this.#heldBack || !canProbe(this.#transport)) return Promise.resolve();
    return this.#transport.probe();
  }

  terminate(): void {
    if (canProbe(this.#transport)) this.#transport.terminate();
    else this.#transport.close(1001, 'no sign of life');
  }

  pause(): void {
    if (!canPause(this.#transport)) return;
    this.#heldBack = true;
    this.#transport.pause();
  }

  resume(): void {
    if (!canPause(this.#transport)) return;
    this.#heldBack = false;
    this.#transport.resume();
  }
}
