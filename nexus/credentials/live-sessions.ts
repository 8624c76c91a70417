import type { Clock } from '#shared/sys/clock';
import type { Connection } from '../broker/connection.ts';
import type { Hub } from '../broker/hub.ts';
import type { Identity } from './identity.ts';

/** Ends a connection whose token no longer lets it in. Ours (auth spec §14 A4). */
export const unauthorizedClose = 4401;

/** Longest timer that is set at once; Node's end after 24.8 days. */
const maxTimerMs = 24 * 3_600_000;

export interface LiveSessionsDeps {
  readonly hub: Hub;
  readonly clock: Clock;
  /** Whether a caller that was let in still would be. */
  readonly holds: (identity: Identity) => boolean;
}

/** Ends connections with the tokens that they came in with. */
export class LiveSessions {
  readonly #deps: LiveSessionsDeps;
  readonly #timers = new Map<Connection, () => void>();

  constructor(deps: LiveSessionsDeps) {
    this.#deps = deps;
  }

  /** Follows a connection from now until it ends. */
  watch(connection: Connection): void {
    connection.onClose(() => this.#forget(connection));
    this.#schedule(connection);
  }

  /** It presented a newer token. */
  renew(connection: Connection, identity: Identity): void {
    connection.renew(identity);
    this.#schedule(connection);
  }

  /** Ends every connection whose token was voided; to be called when tokens change. */
  sweep(): void {
    for (const connection of this.#deps.hub.connections) {
      if (!this.#deps.holds(connection.identity)) expel(connection, 'the token is void');
    }
  }

  #schedule(connection: Connection): void {
    this.#forget(connection);
    const { expiresAt } = connection.identity;
    if (expiresAt === undefined || !connection.isOpen) return;
    const leftMs = expiresAt - this.#deps.clock.now();
    if (leftMs <= 0) {
      expel(connection, 'the token expired');
      return;
    }
    const cancel = this.#deps.clock.after(Math.min(leftMs, maxTimerMs), () =>
      this.#schedule(connection),
    );
    this.#timers.set(connection, cancel);
  }

  #forget(connection: Connection): void {
    this.#timers.get(connection)?.();
    this.#timers.delete(connection);
  }
}

function expel(connection: Connection, why: string): void {
  connection.expel(unauthorizedClose, `${why}; come back with a newer one`);
}
