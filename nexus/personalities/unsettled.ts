/** A state that is on its way to the disk. */
interface Change<State> {
  readonly state: State;
  readonly settled: Promise<unknown>;
}

/**
 * States that the tables do not show yet: the next change of the same thing builds on them.
 * Bounded by the journal.
 */
export class Unsettled<State> {
  readonly #changes = new Map<string, Change<State>>();

  find(key: string): Change<State> | undefined {
    return this.#changes.get(key);
  }

  /** Remembers a state until its write is settled. Resolves, or rejects, with the write. */
  async add(key: string, state: State, write: Promise<unknown>): Promise<void> {
    const change = { state, settled: write };
    this.#changes.set(key, change);
    try {
      await write;
    } finally {
      if (this.#changes.get(key) === change) this.#changes.delete(key);
    }
  }
}
