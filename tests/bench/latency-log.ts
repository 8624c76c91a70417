/**
 * Delivery latencies without looking into messages: there is one sender and order is kept, so a
 * reader's n-th message is the n-th that was sent.
 */
export class LatencyLog {
  readonly #sentAt: number[] = [];
  readonly #got: number[];
  readonly #latencies: number[] = [];
  #from = Number.POSITIVE_INFINITY;
  #to = 0;

  constructor(readers: number) {
    this.#got = new Array<number>(readers).fill(0);
  }

  get sent(): number {
    return this.#sentAt.length;
  }

  /** Messages that every reader has. */
  get complete(): number {
    return Math.min(...this.#got);
  }

  /** Of messages sent between `start` and `stop`, by all readers, in milliseconds. */
  get latencies(): readonly number[] {
    return this.#latencies;
  }

  /** Call right before a message is sent. */
  sending(): void {
    this.#sentAt.push(performance.now());
  }

  arrived(reader: number, messages: number): void {
    const now = performance.now();
    const first = this.#got[reader] ?? 0;
    this.#got[reader] = first + messages;
    for (let n = first; n < first + messages; n++) {
      const sentAt = this.#sentAt[n];
      if (sentAt === undefined) throw new Error(`reader ${reader} got more than was sent`);
      if (n >= this.#from && n < this.#to) this.#latencies.push(now - sentAt);
    }
  }

  /** Latencies count from the next message on. */
  start(): void {
    this.#from = this.sent;
    this.#to = Number.POSITIVE_INFINITY;
  }

  /** Later messages do not count any more. */
  stop(): void {
    this.#to = this.sent;
  }
}
