/** A load that gets nowhere for this long has failed. */
const patienceMs = 15_000;

export interface WindowedLoadDeps {
  /** Messages that may be published and not yet complete. */
  readonly inFlight: number;
  publish(messages: number): void;
  /** How many of the published messages are complete. */
  completed(): number;
}

/** Keeps a number of messages in flight: publishes as many as were completed. */
export class WindowedLoad {
  readonly #deps: WindowedLoadDeps;
  #published = 0;
  #scheduled = false;
  #until = 0;
  #drained: (() => void) | undefined;

  constructor(deps: WindowedLoadDeps) {
    this.#deps = deps;
  }

  /** Call when something arrived. Reacts once a turn, after every readable socket was read. */
  arrived(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  /** Publishes for a while, waits until everything is complete, and returns how much it was. */
  async run(ms: number): Promise<number> {
    const before = this.#published;
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    this.#until = performance.now() + ms;
    this.#pump();
    const stopWatching = this.#watch();
    try {
      await Promise.race([drained, stopWatching.failed]);
    } finally {
      stopWatching.stop();
    }
    return this.#published - before;
  }

  #pump(): void {
    const { inFlight, publish, completed } = this.#deps;
    const underWay = this.#published - completed();
    if (performance.now() >= this.#until) {
      if (underWay === 0) this.#drained?.();
      return;
    }
    const room = inFlight - underWay;
    if (room <= 0) return;
    this.#published += room;
    publish(room);
  }

  /** Fails when a whole interval passes without progress: a message was lost. */
  #watch(): { failed: Promise<never>; stop: () => void } {
    let timer: NodeJS.Timeout | undefined;
    let before = -1;
    const failed = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        const now = this.#deps.completed();
        if (now === before) {
          reject(new Error(`${this.#published - now} messages did not arrive everywhere`));
        }
        before = now;
      }, patienceMs);
    });
    return { failed, stop: () => clearInterval(timer) };
  }
}
