import type { Clock } from './clock.ts';

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now: number;
  #elapsed = 0;
  #nextId = 0;
  readonly #timers = new Map<number, { dueAt: number; action: () => void }>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(ms: number, action: () => void): () => void {
    const id = this.#nextId++;
    this.#timers.set(id, { dueAt: this.#elapsed + ms, action });
    return () => void this.#timers.delete(id);
  }

  /** How many timers are waiting. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time forward and runs what falls due, in order of its due time. */
  advance(ms: number): void {
    const until = this.#elapsed + ms;
    for (;;) {
      const due = [...this.#timers]
        .filter(([, timer]) => timer.dueAt <= until)
        .sort(([idA, a], [idB, b]) => a.dueAt - b.dueAt || idA - idB)[0];
      if (!due) break;
      const [id, timer] = due;
      this.#timers.delete(id);
      this.#moveTo(Math.max(timer.dueAt, this.#elapsed));
      timer.action();
    }
    this.#moveTo(until);
  }

  #moveTo(elapsed: number): void {
    this.#now += elapsed - this.#elapsed;
    this.#elapsed = elapsed;
  }
}
