import type { Connection } from '../storage/database.ts';
import { fromSqlTime, sqlTime } from '../storage/sql-time.ts';
import type { PasskeyAdded } from './events.ts';

/** A registered passkey. */
export interface Passkey {
  readonly id: number;
  readonly operator: string;
  readonly label: string;
  readonly credentialId: Buffer;
  /** In COSE form. */
  readonly publicKey: Buffer;
  /** How its authenticator can be reached, as the browser said. */
  readonly transports: string[];
  readonly signCount: number;
  /** RFC 3339. */
  readonly registeredAt: string;
  readonly lastUsedAt: string | undefined;
}

interface PasskeyRow extends Omit<Passkey, 'transports' | 'lastUsedAt'> {
  readonly credentialJson: string;
  readonly lastUsedAt: string | null;
}

const columns = `id, operator, label, credential_id AS credentialId, public_key AS publicKey,
  sign_count AS signCount, credential_json AS credentialJson, registered_at AS registeredAt,
  last_used_at AS lastUsedAt`;

/** The rows of `operator_passkeys`, which the reference reads and writes too (auth spec §8). */
export class PasskeyRows {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Rows whose `credential_json` cannot be read are left out, as in the reference. */
  list(operator?: string): Passkey[] {
    const rows = this.#db
      .prepare(
        `SELECT ${columns} FROM operator_passkeys WHERE operator = coalesce(?, operator) ORDER BY id`,
      )
      .all(operator ?? null) as PasskeyRow[];
    return rows.flatMap((row) => fromRow(row) ?? []);
  }

  find(id: number): Passkey | undefined {
    const row = this.#db.prepare(`SELECT ${columns} FROM operator_passkeys WHERE id = ?`).get(id);
    return row ? fromRow(row as PasskeyRow) : undefined;
  }

  findCredential(credentialId: Buffer): Passkey | undefined {
    const row = this.#db
      .prepare(`SELECT ${columns} FROM operator_passkeys WHERE credential_id = ?`)
      .get(credentialId);
    return row ? fromRow(row as PasskeyRow) : undefined;
  }

  /** The counter's column starts at 0 whatever the authenticator said, as in the reference. */
  add(id: number, body: PasskeyAdded['body'], at: number): void {
    this.#db
      .prepare(
        `INSERT INTO operator_passkeys
           (id, credential_id, public_key, label, credential_json, registered_at, operator)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        id,
        Buffer.from(body.credentialId, 'base64url'),
        Buffer.from(body.publicKey, 'base64url'),
        body.label,
        JSON.stringify(body.credential),
        sqlTime(at),
        body.operator,
      );
  }

  /** Throws when the counter did not rise, unless it is one that stays at 0. */
  use(id: number, signCount: number, at: number): void {
    const { changes } = this.#db
      .prepare(
        `UPDATE operator_passkeys
         SET sign_count = @signCount, last_used_at = @usedAt,
             credential_json = json_set(credential_json, '$.authenticator.signCount', @signCount)
         WHERE id = @id AND (@signCount > sign_count OR (@signCount = 0 AND sign_count = 0))`,
      )
      .run({ id, signCount, usedAt: sqlTime(at) });
    if (changes === 0) throw new Error('the counter of the passkey did not rise');
  }

  /** Throws when it was removed. */
  assertThere(id: number): void {
    if (!this.find(id)) throw new Error('the passkey was removed');
  }

  remove(id: number): void {
    this.#db.prepare('DELETE FROM operator_passkeys WHERE id = ?').run(id);
  }

  removeOf(operator: string): void {
    this.#db.prepare('DELETE FROM operator_passkeys WHERE operator = ?').run(operator);
  }

  removeAll(): void {
    this.#db.exec('DELETE FROM operator_passkeys');
  }
}

function fromRow({ credentialJson, ...row }: PasskeyRow): Passkey | undefined {
  const credential = parse(credentialJson);
  if (!credential) return undefined;
  const { transport } = credential;
  return {
    ...row,
    transports: Array.isArray(transport) ? transport.map(String) : [],
    registeredAt: fromSqlTime(row.registeredAt),
    lastUsedAt: row.lastUsedAt === null ? undefined : fromSqlTime(row.lastUsedAt),
  };
}

function parse(json: string): { transport?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
