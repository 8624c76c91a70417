import { hash, randomBytes } from 'node:crypto';
import { nameKey } from '#shared/config/names';
import { type AspectRetired, aspectRetired } from '../aspects/events.ts';
import type { Journal, JournalEvent, Projection } from '../journal/journal.ts';
import type { Connection, Database, Migration } from '../storage/database.ts';
import { sqlTime } from '../storage/sql-time.ts';
import { aspectIdentity, type Identity, operatorIdentity, operatorName } from './identity.ts';

/** The reference's table; `token` holds `sha256:` and the hash, `born_at` is ours. */
export const tokenMigration: Migration = {
  name: 'agent tokens',
  sql: `
    CREATE TABLE agent_tokens (
      agent_id   TEXT PRIMARY KEY,
      token      TEXT NOT NULL UNIQUE,
      admin      INTEGER NOT NULL DEFAULT 0,
      created_at TEXT NOT NULL DEFAULT (datetime('now')),
      born_at    INTEGER
    );
  `,
};

/** Ours: names besides its own that a token may register, as JSON; an Outpost's has some. */
export const tokenGrantsMigration: Migration = {
  name: 'names granted to a token',
  sql: 'ALTER TABLE agent_tokens ADD COLUMN grants TEXT;',
};

const tokenIssued = 'token.issued';

/** A name got a new token. Only the hash is recorded; the token before it is void. */
interface TokenIssued {
  readonly agentId: string;
  readonly tokenHash: string;
  readonly admin: boolean;
  readonly grants?: readonly string[];
}

/** What a token allows beyond being its name. */
export interface TokenRights {
  /** May act for any aspect. */
  readonly admin?: boolean | undefined;
  /** Other names that it may register, as an Outpost does for its host. */
  readonly grants?: readonly string[] | undefined;
}

interface TokenRow {
  readonly agentId: string;
  readonly token: string;
  readonly admin: number;
  readonly bornAt: number;
  readonly grants: string | null;
}

/**
 * Opaque bearer tokens, one per name: 32 random bytes as 64 hex digits, hashed at rest.
 *
 * Looking a token up by its SHA-256 compares no secret byte by byte, so unknown and wrong tokens
 * take the same time.
 */
export class TokenStore implements Projection {
  readonly kinds = [tokenIssued, aspectRetired];
  readonly tables = ['agent_tokens'];
  readonly #writer: Connection;
  readonly #byHash = new Map<string, TokenRow>();
  readonly #byName = new Map<string, TokenRow>();

  constructor({ writer }: Database) {
    this.#writer = writer;
    this.#load();
  }

  apply(events: readonly JournalEvent[]): void {
    for (const event of events) {
      if (event.kind === aspectRetired) this.#applyRetired(event.body as AspectRetired['body']);
      else this.#applyIssued(event);
    }
  }

  /** Reflects what this journal records from now on, and then calls `listener`. */
  follow(journal: Journal, listener: () => void = () => undefined): void {
    journal.onCommit((events) => {
      if (!events.some(({ kind }) => this.kinds.includes(kind))) return;
      this.#load();
      listener();
    });
  }

  #applyIssued(event: JournalEvent): void {
    const { agentId, tokenHash, admin, grants } = event.body as TokenIssued;
    this.#writer
      .prepare(
        `INSERT INTO agent_tokens (agent_id, token, admin, created_at, born_at, grants)
         VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (agent_id) DO UPDATE
         SET token = excluded.token, admin = excluded.admin, created_at = excluded.created_at,
             grants = excluded.grants`,
      )
      .run(
        agentId,
        tokenHash,
        admin ? 1 : 0,
        sqlTime(event.at),
        event.position,
        grants ? JSON.stringify(grants) : null,
      );
  }

  /** For good: it does not come back with the aspect. Where its life began stays known. */
  #applyRetired({ name }: AspectRetired['body']): void {
    this.#writer
      .prepare(`UPDATE agent_tokens SET token = 'void:' || agent_id WHERE agent_id = ?`)
      .run(name);
  }

  /** Makes a token for a name and voids the one before it. The only time it can be read. */
  async issue(
    journal: Journal,
    name: string,
    by: string,
    { admin = false, grants }: TokenRights = {},
  ): Promise<string> {
    const token = randomBytes(32).toString('hex');
    const hashed = { agentId: name, tokenHash: tokenHash(token), admin };
    const body: TokenIssued = { ...hashed, ...(grants?.length && { grants }) };
    await journal.append({ kind: tokenIssued, actor: by, body });
    return token;
  }

  /** Who a token belongs to. */
  resolve(token: string): Identity | undefined {
    const row = this.#byHash.get(tokenHash(token));
    if (!row) return undefined;
    const of =
      row.agentId === operatorName
        ? operatorIdentity
        : aspectIdentity(row.agentId, {
            admin: row.admin === 1,
            grants: row.grants ? (JSON.parse(row.grants) as string[]) : undefined,
          });
    return { ...of, tokenHash: row.token };
  }

  /** Whether a token, known by its hash, is still its name's. */
  isCurrent(hashed: string): boolean {
    return this.#byHash.has(hashed);
  }

  /** The name as its owner spells it, if it was ever given a token. The operator is no aspect. */
  findName(name: string): string | undefined {
    const row = this.#byName.get(nameKey(name));
    return row?.agentId === operatorName ? undefined : row?.agentId;
  }

  /**
   * Where a name's life begins: the journal position of its first token. A reader without a
   * cursor is caught up from here, so that nothing said to it while it was starting is lost.
   */
  bornAt(name: string): number | undefined {
    return this.#byName.get(nameKey(name))?.bornAt;
  }

  #load(): void {
    this.#byHash.clear();
    this.#byName.clear();
    const rows = this.#writer
      .prepare(
        'SELECT agent_id AS agentId, token, admin, born_at AS bornAt, grants FROM agent_tokens',
      )
      .all() as TokenRow[];
    for (const row of rows) {
      this.#byHash.set(row.token, row);
      this.#byName.set(nameKey(row.agentId), row);
    }
  }
}

const tokenHash = (token: string): string => `sha256:${hash('sha256', token, 'hex')}`;
