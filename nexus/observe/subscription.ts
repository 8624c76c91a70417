import type { TurnDelta } from '#shared/frames/observed-turn';
import type { Clock } from '#shared/sys/clock';
import type { Connection } from '../broker/connection.ts';
import type { FrameEncoder } from './frame-encoder.ts';
import { isOpenTurn, type StreamFrame } from './stream-frame.ts';

/** An observer gets nothing more while this much waits for it, and catches up afterwards. */
const congestedBytes = 1024 * 1024;

/** Turns beyond this are sent whole at most every `wholeTurnEveryMs` while they are in flight. */
export const largeTurnBytes = 64 * 1024;
export const wholeTurnEveryMs = 250;

export interface SubscriptionDeps {
  readonly connection: Connection;
  /** Whether a turn is sent whole each time, or only what changed. */
  readonly form: 'snapshot' | 'delta';
  readonly sinceSeq: number;
  /** What the stream retains above a position, oldest first. */
  since(seq: number): StreamFrame[];
  readonly encoder: FrameEncoder;
  readonly clock: Clock;
}

/**
 * One observer of one stream: it gets what is retained above its position, then every frame as it
 * comes. One that reads too slowly is left alone until it has room, and goes on from what is
 * retained then: it gets the newest state of each turn, and may miss what was given up meanwhile.
 */
export class Subscription {
  /** Resolves when everything retained was sent the first time, or when it ended before. */
  readonly caughtUp: Promise<void>;
  readonly connection: Connection;
  readonly #deps: SubscriptionDeps;
  readonly #resolveCaughtUp: () => void;
  /** Everything up to here was sent, as far as it was retained. */
  #sentSeq: number;
  /** True while every frame of the stream was sent: the next one can follow at once. */
  #live = false;
  #cancelPause: (() => void) | undefined;
  #ended = false;

  constructor(deps: SubscriptionDeps) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.caughtUp = promise;
    this.#resolveCaughtUp = resolve;
    this.#deps = deps;
    this.connection = deps.connection;
    this.#sentSeq = deps.sinceSeq;
    this.#catchUp();
  }

  /** Tells of the stream's next frame, which it retains by now; `delta` is what changed in a turn. */
  offer(frame: StreamFrame, delta: TurnDelta | undefined): void {
    if (!this.#live) {
      if (this.#cancelPause && !isOpenTurn(frame)) this.#catchUp();
    } else if (this.#isCongested()) {
      this.#fallBehind();
    } else if (delta && this.#deps.form === 'delta') {
      this.connection.send(this.#deps.encoder.delta(frame, delta));
      this.#sentSeq = frame.seq;
    } else if (isOpenTurn(frame) && frame.bytes > largeTurnBytes) {
      this.#pause();
    } else {
      this.#send(frame);
    }
  }

  /** Sends nothing more. Safe to call twice. */
  end(): void {
    this.#ended = true;
    this.#live = false;
    this.#cancelPause?.();
    this.#resolveCaughtUp();
  }

  #catchUp(): void {
    this.#cancelPause?.();
    this.#cancelPause = undefined;
    if (this.#ended) return;
    for (const frame of this.#deps.since(this.#sentSeq)) {
      if (this.#isCongested()) {
        this.#fallBehind();
        return;
      }
      this.#send(frame);
    }
    this.#live = true;
    this.#resolveCaughtUp();
  }

  #fallBehind(): void {
    this.#live = false;
    // What was queued in this turn of the event loop may leave at once, and is not told as drained.
    setImmediate(() => {
      if (this.#isCongested()) this.connection.onceDrained(() => this.#catchUp());
      else this.#catchUp();
    });
  }

  #pause(): void {
    this.#live = false;
    this.#cancelPause = this.#deps.clock.after(wholeTurnEveryMs, () => this.#catchUp());
  }

  #send(frame: StreamFrame): void {
    this.connection.send(this.#deps.encoder.whole(frame));
    this.#sentSeq = frame.seq;
  }

  #isCongested(): boolean {
    return this.connection.queuedBytes > congestedBytes;
  }
}
