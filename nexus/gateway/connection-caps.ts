export interface ConnectionLimits {
  readonly total: number;
  readonly perAddress: number;
}

/** Counts open sockets, in total and per source address. */
export class ConnectionCaps {
  readonly #limits: ConnectionLimits;
  readonly #perAddress = new Map<string, number>();
  #total = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Takes a place and returns what gives it back, or undefined when there is none. */
  take(address: string): (() => void) | undefined {
    const fromHere = this.#perAddress.get(address) ?? 0;
    if (this.#total >= this.#limits.total || fromHere >= this.#limits.perAddress) return undefined;
    this.#total += 1;
    this.#perAddress.set(address, fromHere + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#release(address);
    };
  }

  #release(address: string): void {
    this.#total -= 1;
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }
}
