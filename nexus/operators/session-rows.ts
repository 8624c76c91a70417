import type { Connection } from '../storage/database.ts';
import type { LoginMethod, SessionOpened } from './events.ts';

/** Sessions that one operator can have; one more ends the oldest. */
export const maxSessions = 32;

/** A browser, or a program with a session token, that somebody signed in with. */
export interface SessionRow {
  readonly id: string;
  readonly tokenHash: string;
  readonly operator: string;
  readonly method: LoginMethod;
  readonly passkeyId: number | null;
  readonly agent: string;
  readonly address: string;
  /** Milliseconds since the epoch, all three. */
  readonly openedAt: number;
  readonly seenAt: number;
  readonly expiresAt: number;
}

/** The rows of `operator_sessions`. */
export class SessionRows {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  list(): SessionRow[] {
    return this.#db
      .prepare(
        `SELECT id, token_hash AS tokenHash, operator, method, passkey_id AS passkeyId, agent,
                address, opened_at AS openedAt, seen_at AS seenAt, expires_at AS expiresAt
         FROM operator_sessions ORDER BY opened_at, id`,
      )
      .all() as SessionRow[];
  }

  /** Throws when it has ended. */
  assertThere(id: string): void {
    const row = this.#db.prepare('SELECT 1 FROM operator_sessions WHERE id = ?').get(id);
    if (!row) throw new Error('the session has ended');
  }

  /** Makes room first: what is over goes, and the oldest when there are too many. */
  open(body: SessionOpened['body'], at: number): void {
    this.#db.prepare('DELETE FROM operator_sessions WHERE expires_at <= ?').run(at);
    this.#db
      .prepare(
        `DELETE FROM operator_sessions WHERE id IN (
           SELECT id FROM operator_sessions WHERE operator = ?
           ORDER BY opened_at DESC, id DESC LIMIT -1 OFFSET ?)`,
      )
      .run(body.operator, maxSessions - 1);
    this.#db
      .prepare(
        `INSERT INTO operator_sessions
           (id, token_hash, operator, method, passkey_id, agent, address, opened_at, seen_at,
            expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        body.id,
        body.tokenHash,
        body.operator,
        body.method,
        body.passkeyId ?? null,
        body.agent,
        body.address,
        at,
        at,
        body.expiresAt,
      );
  }

  see(id: string, at: number): void {
    this.#db.prepare('UPDATE operator_sessions SET seen_at = ? WHERE id = ?').run(at, id);
  }

  end(id: string): void {
    this.#db.prepare('DELETE FROM operator_sessions WHERE id = ?').run(id);
  }

  endOf(operator: string): void {
    this.#db.prepare('DELETE FROM operator_sessions WHERE operator = ?').run(operator);
  }

  endOfPasskey(id: number): void {
    this.#db.prepare('DELETE FROM operator_sessions WHERE passkey_id = ?').run(id);
  }

  endAll(): void {
    this.#db.exec('DELETE FROM operator_sessions');
  }
}
