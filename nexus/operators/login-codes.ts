import type { Clock } from '#shared/sys/clock';
import { newSecret, secretHash } from './secret-text.ts';

export const loginCodeMs = 10 * 60_000;

/** Codes that wait to be used; one more voids the oldest. */
export const maxLoginCodes = 32;

interface LoginCode {
  readonly operator: string;
  readonly expiresAt: number;
}

/** One-time codes that let a person in. Memory only, as hashes: a restart voids them. */
export class LoginCodes {
  readonly #clock: Clock;
  readonly #byHash = new Map<string, LoginCode>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  make(operator: string): { code: string; expiresAt: number } {
    const oldest = this.#byHash.keys().next().value;
    if (this.#byHash.size >= maxLoginCodes && oldest) this.#byHash.delete(oldest);
    const code = newSecret();
    const expiresAt = this.#clock.now() + loginCodeMs;
    this.#byHash.set(secretHash(code), { operator, expiresAt });
    return { code, expiresAt };
  }

  /** Whom a code lets in; it is void from now on. */
  take(code: string): string | undefined {
    const key = secretHash(code);
    const found = this.#byHash.get(key);
    this.#byHash.delete(key);
    return found && this.#clock.now() < found.expiresAt ? found.operator : undefined;
  }

  /** Voids every code of an operator, or all of them. */
  void(operator?: string): void {
    for (const [key, code] of this.#byHash) {
      if (operator === undefined || code.operator === operator) this.#byHash.delete(key);
    }
  }
}
