import type { Clock } from '#shared/sys/clock';

export interface KeepAliveTimes {
  readonly pingEveryMs: number;
  readonly pongWithinMs: number;
}

/** What keep-alive needs of a connection. */
export interface Pinged {
  /** True while nothing is read from it, so that its answer could not be seen. */
  readonly isHeldBack: boolean;
  /** Resolves when the peer answers, and never when it is gone. */
  probe(): Promise<void>;
  close(code: number, reason: string): void;
  terminate(): void;
}

/** Pings sent at once. Connections that came together are so pulled apart. */
const maxPingsPerSweep = 64;
const betweenSweepsMs = 20;

/**
 * Pings every connection for as long as it lives, and closes one with 1001 when its answer stays
 * out (§1.6). One timer for all; an idle connection costs an entry in a map.
 */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #times: KeepAliveTimes;
  /** When each is due for its ping. In this order, because everyone waits equally long. */
  readonly #resting = new Map<Pinged, number>();
  /** When each must have answered. In this order, too. */
  readonly #asked = new Map<Pinged, number>();
  #wake: { readonly at: number; cancel(): void } | undefined;

  constructor(clock: Clock, times: KeepAliveTimes) {
    this.#clock = clock;
    this.#times = times;
  }

  add(peer: Pinged): void {
    this.#rest(peer);
    this.#schedule();
  }

  remove(peer: Pinged): void {
    this.#resting.delete(peer);
    this.#asked.delete(peer);
    if (this.#resting.size + this.#asked.size === 0) this.close();
  }

  /** Pings no one any more. */
  close(): void {
    this.#wake?.cancel();
    this.#wake = undefined;
  }

  #rest(peer: Pinged): void {
    this.#resting.set(peer, this.#clock.monotonic() + this.#times.pingEveryMs);
  }

  #ask(peer: Pinged): void {
    this.#asked.set(peer, this.#clock.monotonic() + this.#times.pongWithinMs);
    void peer.probe().then(() => {
      if (!this.#asked.delete(peer)) return;
      this.#rest(peer);
      this.#schedule();
    });
  }

  #sweep(): void {
    this.#wake = undefined;
    const now = this.#clock.monotonic();
    for (const [peer, until] of this.#asked) {
      if (until > now) break;
      this.#asked.delete(peer);
      if (peer.isHeldBack) {
        this.#rest(peer);
      } else {
        peer.close(1001, 'no pong');
        peer.terminate();
      }
    }
    let pings = 0;
    for (const [peer, due] of this.#resting) {
      if (due > now || pings === maxPingsPerSweep) break;
      this.#resting.delete(peer);
      if (peer.isHeldBack) {
        this.#rest(peer);
      } else {
        pings += 1;
        this.#ask(peer);
      }
    }
    this.#schedule(pings === maxPingsPerSweep ? betweenSweepsMs : 0);
  }

  /** Sets the timer to what is due next, but not before `pauseMs` have passed. */
  #schedule(pauseMs = 0): void {
    const next = Math.min(first(this.#asked), first(this.#resting));
    if (next === Number.POSITIVE_INFINITY || (this.#wake && this.#wake.at <= next)) return;
    this.#wake?.cancel();
    const ms = Math.max(pauseMs, next - this.#clock.monotonic());
    this.#wake = { at: next, cancel: this.#clock.after(ms, () => this.#sweep()) };
  }
}

const first = (times: ReadonlyMap<Pinged, number>): number =>
  times.values().next().value ?? Number.POSITIVE_INFINITY;
