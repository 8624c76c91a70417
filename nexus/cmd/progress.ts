/** Says how far something got, once a second, to people who watch. */
export class Progress {
  readonly #what: string;
  readonly #shown = process.stderr.isTTY === true;
  #nextAt = Date.now() + 1_000;
  #said = false;

  constructor(what: string) {
    this.#what = what;
  }

  at(count: number): void {
    if (!this.#shown || count % 1_024 !== 0 || Date.now() < this.#nextAt) return;
    this.#nextAt = Date.now() + 1_000;
    this.#said = true;
    process.stderr.write(`\r${count.toLocaleString('en')} ${this.#what}`);
  }

  end(): void {
    if (this.#said) process.stderr.write('\r\u001b[K');
  }
}
