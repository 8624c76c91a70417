import type { Connection } from '../broker/connection.ts';
import type { Subscription } from './subscription.ts';

const nobody: ReadonlySet<Subscription> = new Set();

/** Who observes what: one subscription for each connection and stream. */
export class Subscriptions {
  readonly #byKey = new Map<string, Set<Subscription>>();
  readonly #byConnection = new Map<Connection, Map<string, Subscription>>();

  get isEmpty(): boolean {
    return this.#byConnection.size === 0;
  }

  /** The observers of a stream. */
  of(key: string): ReadonlySet<Subscription> {
    return this.#byKey.get(key) ?? nobody;
  }

  /** How many streams a connection observes. */
  countOf(connection: Connection): number {
    return this.#byConnection.get(connection)?.size ?? 0;
  }

  has(key: string, connection: Connection): boolean {
    return this.#byConnection.get(connection)?.has(key) ?? false;
  }

  add(key: string, subscription: Subscription): void {
    this.remove(key, subscription.connection);
    const { connection } = subscription;
    this.#byConnection.set(
      connection,
      (this.#byConnection.get(connection) ?? new Map()).set(key, subscription),
    );
    this.#byKey.set(key, (this.#byKey.get(key) ?? new Set()).add(subscription));
  }

  remove(key: string, connection: Connection): void {
    const own = this.#byConnection.get(connection);
    const subscription = own?.get(key);
    if (!own || !subscription) return;
    subscription.end();
    own.delete(key);
    if (own.size === 0) this.#byConnection.delete(connection);
    const observers = this.#byKey.get(key);
    observers?.delete(subscription);
    if (observers?.size === 0) this.#byKey.delete(key);
  }

  removeAll(connection: Connection): void {
    for (const key of [...(this.#byConnection.get(connection)?.keys() ?? [])]) {
      this.remove(key, connection);
    }
  }
}
