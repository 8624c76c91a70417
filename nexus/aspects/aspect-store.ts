import type { Statement } from 'better-sqlite3';
import type { JournalEvent, Projection } from '../journal/journal.ts';
import type { Database, Migration } from '../storage/database.ts';
import { sqlTime } from '../storage/sql-time.ts';
import { type AspectEvent, aspectMinted, aspectResurrected, aspectRetired } from './events.ts';

/** The reference's table (storage spec §4.4); `has_keyfile` and `born_at` are ours. */
export const aspectMigration: Migration = {
  name: 'aspects',
  sql: `
    CREATE TABLE aspects (
      name                         TEXT PRIMARY KEY,
      status                       TEXT NOT NULL DEFAULT 'active'
                                   CHECK (status IN ('active', 'retired')),
      current_keyfile_version      INTEGER NOT NULL DEFAULT 1,
      aspect_pubkey                BLOB NOT NULL,
      provider                     TEXT NOT NULL,
      model                        TEXT NOT NULL,
      capabilities                 TEXT,
      metadata                     TEXT,
      created_at                   TEXT NOT NULL DEFAULT (datetime('now')),
      updated_at                   TEXT NOT NULL DEFAULT (datetime('now')),
      default_anthropic_credential TEXT,
      default_openai_credential    TEXT,
      default_jira_credential      TEXT,
      default_imap_credential      TEXT,
      has_keyfile                  INTEGER NOT NULL DEFAULT 1,
      born_at                      INTEGER
    );
    CREATE INDEX idx_aspects_status ON aspects(status);
  `,
};

/** One aspect that was given an identity. */
export interface AspectRecord {
  readonly name: string;
  readonly status: 'active' | 'retired';
  /** The only version of its keyfile that is accepted. */
  readonly version: number;
  /** Ed25519, 32 bytes; a placeholder that nobody has the other half of unless `hasKeyfile`. */
  readonly publicKey: Uint8Array;
  readonly hasKeyfile: boolean;
  readonly provider: string;
  readonly model: string;
  /** Journal position of its first keyfile. */
  readonly bornAt: number;
  /** As the database has them, in UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** The `aspects` table, derived from the journal. */
export class AspectStore implements Projection {
  readonly kinds = [aspectMinted, aspectRetired, aspectResurrected];
  readonly tables = ['aspects'];
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: Database) {
    this.#statements = prepare(database);
  }

  apply(events: readonly JournalEvent[]): void {
    for (const event of events as readonly (JournalEvent & AspectEvent)[]) this.#apply(event);
  }

  all(): AspectRecord[] {
    const rows = this.#statements.all.all() as (Omit<AspectRecord, 'hasKeyfile'> & {
      hasKeyfile: number;
    })[];
    return rows.map((row) => ({ ...row, hasKeyfile: row.hasKeyfile === 1 }));
  }

  #apply(event: JournalEvent & AspectEvent): void {
    const at = sqlTime(event.at);
    const publicKey = Buffer.from(event.body.publicKey ?? '', 'base64');
    if (event.kind === aspectRetired) {
      const { name } = event.body;
      this.#statements.retire.run({ name, publicKey, at, position: event.position });
      return;
    }
    if (event.kind === aspectResurrected) {
      this.#statements.resurrect.run({ ...event.body, publicKey, at });
      return;
    }
    this.#statements.mint.run({ ...event.body, publicKey, at, position: event.position });
  }
}

function prepare({
  writer,
  reader,
}: Database): Record<'mint' | 'retire' | 'resurrect' | 'all', Statement> {
  return {
    mint: writer.prepare(
      `INSERT INTO aspects (name, current_keyfile_version, aspect_pubkey, provider, model,
                            created_at, updated_at, born_at)
       VALUES (:name, :version, :publicKey, :provider, :model, :at, :at, :position)
       ON CONFLICT (name) DO UPDATE
       SET current_keyfile_version = :version, aspect_pubkey = :publicKey, has_keyfile = 1,
           updated_at = :at`,
    ),
    retire: writer.prepare(
      `INSERT INTO aspects (name, status, current_keyfile_version, aspect_pubkey, provider, model,
                            created_at, updated_at, has_keyfile, born_at)
       VALUES (:name, 'retired', 0, :publicKey, '', '', :at, :at, 0, :position)
       ON CONFLICT (name) DO UPDATE SET status = 'retired', updated_at = :at`,
    ),
    resurrect: writer.prepare(
      `UPDATE aspects SET status = 'active', current_keyfile_version = :version,
              aspect_pubkey = :publicKey, has_keyfile = 0, updated_at = :at
       WHERE name = :name`,
    ),
    all: reader.prepare(
      `SELECT name, status, current_keyfile_version AS version, aspect_pubkey AS publicKey,
              has_keyfile AS hasKeyfile, provider, model, coalesce(born_at, 0) AS bornAt,
              created_at AS createdAt, updated_at AS updatedAt
       FROM aspects ORDER BY name`,
    ),
  };
}
