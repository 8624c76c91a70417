import { randomBytes } from 'node:crypto';
import type { Clock } from '#shared/sys/clock';

export const ceremonyMs = 5 * 60_000;

/** Ceremonies under way; one more ends the oldest. */
export const maxCeremonies = 64;

/** What was promised to a browser that is asking its person now. */
export type Ceremony =
  | { readonly purpose: 'login'; readonly challenge: string }
  | {
      readonly purpose: 'registration';
      readonly challenge: string;
      readonly operator: string;
      readonly label: string;
      /** The session whose right it is; none for a one-time code or the operator's token. */
      readonly sessionId: string | undefined;
    };

/** Remembers WebAuthn ceremonies between their two calls. Each can be finished once. */
export class Ceremonies {
  readonly #clock: Clock;
  readonly #byToken = new Map<string, { ceremony: Ceremony; expiresAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The token that the second call must bring: 32 hex digits. */
  begin(ceremony: Ceremony): string {
    const oldest = this.#byToken.keys().next().value;
    if (this.#byToken.size >= maxCeremonies && oldest) this.#byToken.delete(oldest);
    const token = randomBytes(16).toString('hex');
    this.#byToken.set(token, { ceremony, expiresAt: this.#clock.now() + ceremonyMs });
    return token;
  }

  /** Ends a ceremony, whatever comes of it. `undefined` unless it was begun for this purpose. */
  finish<Purpose extends Ceremony['purpose']>(
    token: string,
    purpose: Purpose,
  ): Extract<Ceremony, { purpose: Purpose }> | undefined {
    const found = this.#byToken.get(token);
    this.#byToken.delete(token);
    if (!found || this.#clock.now() >= found.expiresAt) return undefined;
    const { ceremony } = found;
    return isFor(ceremony, purpose) ? ceremony : undefined;
  }
}

function isFor<Purpose extends Ceremony['purpose']>(
  ceremony: Ceremony,
  purpose: Purpose,
): ceremony is Extract<Ceremony, { purpose: Purpose }> {
  return ceremony.purpose === purpose;
}
