/** Things to close, in reverse order of opening. */
export class Closers {
  readonly #closers: (() => void | Promise<void>)[] = [];

  /** Adds what undoes the step that just succeeded. */
  add(close: () => void | Promise<void>): void {
    this.#closers.push(close);
  }

  /** Closes everything, also when some of it fails; then throws the first failure. Runs once. */
  async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
