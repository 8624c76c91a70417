/** When the first and the last of a number of messages arrived. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/** Waits for a number of messages, without looking into them. */
export class Arrivals {
  readonly #expected: number;
  readonly #skip: number;
  #got = 0;
  #first = 0;
  #complete: (span: Span) => void = () => undefined;
  /** Resolves when the last has arrived. */
  readonly all: Promise<Span>;

  /** `skip` messages come before those that count, answers to requests for instance. */
  constructor(expected: number, skip = 0) {
    this.#expected = expected;
    this.#skip = skip;
    this.all = new Promise((resolve) => {
      this.#complete = resolve;
    });
  }

  arrived(messages: number, now = performance.now()): void {
    if (this.#got <= this.#skip && this.#got + messages > this.#skip) this.#first = now;
    this.#got += messages;
    if (this.#got >= this.#skip + this.#expected) this.#complete({ first: this.#first, last: now });
  }

  /** Of those that count. */
  get count(): number {
    return Math.max(0, this.#got - this.#skip);
  }
}
