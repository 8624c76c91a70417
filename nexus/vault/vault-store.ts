import type { Statement } from 'better-sqlite3';
import type { JournalEvent, Projection } from '../journal/journal.ts';
import type { Database } from '../storage/database.ts';
import { fromSqlTime, sqlTime } from '../storage/sql-time.ts';
import {
  type CredentialAccessed,
  type CredentialDefaultsSet,
  type CredentialDeleted,
  type CredentialStored,
  type CredentialsResealed,
  type CredentialUse,
  credentialAccessed,
  credentialDefaultsSet,
  credentialDeleted,
  credentialStored,
  credentialsResealed,
  type SealedBundle,
} from './events.ts';
import type { Sealed } from './keys/seal.ts';
import type { CredentialMode } from './kinds.ts';

/** A credential as it is stored. */
export interface StoredCredential {
  readonly name: string;
  readonly description: string;
  /** One of ours, unless the reference stored it. */
  readonly kind: string;
  readonly allowedAspects: readonly string[];
  readonly mode: CredentialMode;
  /** RFC 3339, like all times here. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly lastUsedAt: string | undefined;
  readonly sealed: Sealed;
}

/** Who asked for a credential, and what came of it. */
export interface AuditRow {
  readonly id: number;
  readonly name: string;
  readonly aspect: string;
  readonly action: string;
  readonly at: string;
  readonly details: unknown;
}

type Event =
  | CredentialStored
  | CredentialDeleted
  | CredentialsResealed
  | CredentialAccessed
  | CredentialDefaultsSet;

/** Credentials, their audit and the aspects' defaults, as tables derived from the journal. */
export class VaultStore implements Projection {
  readonly kinds = [
    credentialStored,
    credentialDeleted,
    credentialsResealed,
    credentialAccessed,
    credentialDefaultsSet,
  ];
  readonly tables = ['credentials', 'credential_audit', 'credential_defaults'];
  readonly #write: ReturnType<typeof prepareWrites>;
  readonly #read: ReturnType<typeof prepareReads>;

  constructor(database: Database) {
    this.#write = prepareWrites(database);
    this.#read = prepareReads(database);
  }

  apply(events: readonly JournalEvent[]): void {
    for (const event of events as readonly (JournalEvent & Event)[]) {
      if (event.kind === credentialStored) this.#applyStored(event);
      else if (event.kind === credentialAccessed) this.#applyAccessed(event);
      else if (event.kind === credentialsResealed) this.#applyResealed(event);
      else if (event.kind === credentialDefaultsSet) this.#applyDefaults(event);
      else this.#applyDeleted(event);
    }
  }

  #applyStored({ at, body }: JournalEvent & CredentialStored): void {
    const { name, kind, mode, description, sealed, lastUsedAt = null } = body;
    const now = isoTime(at);
    const allowed = JSON.stringify(body.allowedAspects);
    if (!sealed) {
      this.#write.describe.run({ name, description, allowed, mode, now });
      return;
    }
    const was = body.createdAt ?? null;
    const row = { name, description, kind, allowed, mode, was, lastUsedAt, now };
    this.#write.store.run({ ...row, ...columnsOf(sealed) });
  }

  #applyDeleted({ body: { name } }: JournalEvent & CredentialDeleted): void {
    this.#write.remove.run(name);
    // Another credential of that name is not what was meant to be the default.
    this.#write.removeDefaults.run(name);
  }

  #applyResealed({ body: { bundles } }: JournalEvent & CredentialsResealed): void {
    for (const bundle of bundles)
      this.#write.reseal.run({ ...columnsOf(bundle), name: bundle.name });
  }

  #applyAccessed({ at, actor, body }: JournalEvent & CredentialAccessed): void {
    const { action, entries } = body;
    for (const { name, details } of entries) {
      this.#write.audit.run(name, actor, action, sqlTime(at), JSON.stringify(details));
      if (action === 'fetch') this.#write.used.run(isoTime(at), name);
    }
  }

  #applyDefaults({ body: { aspect, defaults } }: JournalEvent & CredentialDefaultsSet): void {
    for (const [use, name] of Object.entries(defaults)) {
      if (name === '') this.#write.clearDefault.run(aspect, use);
      else this.#write.setDefault.run(aspect, use, name);
    }
  }

  find(name: string): StoredCredential | undefined {
    const row = this.#read.one.get(name) as Row | undefined;
    return row && credentialOf(row);
  }

  /** By name; of one kind or of all. */
  list(kind?: string): StoredCredential[] {
    return (this.#read.list.all({ kind: kind ?? null }) as Row[]).map(credentialOf);
  }

  /** How many there are, and the bytes of their bundles; without the one of a name. */
  sizeWithout(name: string): { readonly count: number; readonly bytes: number } {
    return this.#read.size.get(name) as { count: number; bytes: number };
  }

  /** The newest first. */
  audit(name: string, limit: number): AuditRow[] {
    const rows = this.#read.audit.all(name, limit) as (AuditRow & { details: string })[];
    return rows.map((row) => ({
      ...row,
      at: fromSqlTime(row.at),
      details: JSON.parse(row.details) as unknown,
    }));
  }

  /** The name of an aspect's default credential for a use. */
  defaultFor(aspect: string, use: CredentialUse): string | undefined {
    return this.#read.default.get(aspect, use) as string | undefined;
  }
}

interface Row {
  name: string;
  description: string;
  kind: string;
  data: Buffer;
  nonce: Buffer;
  allowed: string;
  mode: CredentialMode;
  createdAt: string;
  updatedAt: string;
  lastUsedAt: string | null;
  version: number | null;
  keyId: string | null;
}

function credentialOf({ data, nonce, version, keyId, allowed, ...row }: Row): StoredCredential {
  return {
    ...row,
    createdAt: fromSqlTime(row.createdAt),
    updatedAt: fromSqlTime(row.updatedAt),
    lastUsedAt: row.lastUsedAt === null ? undefined : fromSqlTime(row.lastUsedAt),
    allowedAspects: JSON.parse(allowed) as string[],
    sealed: { version: version === 2 ? 2 : 1, keyId: keyId ?? undefined, nonce, data },
  };
}

const columnsOf = ({ keyId, nonce, data }: SealedBundle) => ({
  keyId,
  nonce: Buffer.from(nonce, 'base64'),
  data: Buffer.from(data, 'base64'),
});

const isoTime = (ms: number): string => new Date(ms).toISOString();

function prepareWrites({ writer }: Database) {
  const prepare = (sql: string): Statement => writer.prepare(sql);
  return {
    store: prepare(
      `INSERT INTO credentials
         (name, description, kind, encrypted_bundle, encryption_nonce, allowed_aspects, mode,
          created_at, updated_at, last_used_at, seal_version, key_id)
       VALUES (:name, :description, :kind, :data, :nonce, :allowed, :mode,
               coalesce(:was, :now), :now, :lastUsedAt, 2, :keyId)
       ON CONFLICT (name) DO UPDATE SET
         description = :description, kind = :kind, encrypted_bundle = :data,
         encryption_nonce = :nonce, allowed_aspects = :allowed, mode = :mode,
         created_at = coalesce(:was, created_at), updated_at = :now,
         last_used_at = coalesce(:lastUsedAt, last_used_at), seal_version = 2, key_id = :keyId`,
    ),
    describe: prepare(
      `UPDATE credentials SET description = :description, allowed_aspects = :allowed,
         mode = :mode, updated_at = :now WHERE name = :name`,
    ),
    remove: prepare('DELETE FROM credentials WHERE name = ?'),
    removeDefaults: prepare('DELETE FROM credential_defaults WHERE credential = ?'),
    reseal: prepare(
      `UPDATE credentials SET encrypted_bundle = :data, encryption_nonce = :nonce,
         seal_version = 2, key_id = :keyId WHERE name = :name`,
    ),
    audit: prepare(
      `INSERT INTO credential_audit (credential_name, aspect, action, ts, details)
       VALUES (?, ?, ?, ?, ?)`,
    ),
    used: prepare('UPDATE credentials SET last_used_at = ? WHERE name = ?'),
    setDefault: prepare(
      `INSERT INTO credential_defaults (aspect, use, credential) VALUES (?, ?, ?)
       ON CONFLICT (aspect, use) DO UPDATE SET credential = excluded.credential`,
    ),
    clearDefault: prepare('DELETE FROM credential_defaults WHERE aspect = ? AND use = ?'),
  };
}

function prepareReads({ reader }: Database) {
  const prepare = (sql: string): Statement => reader.prepare(sql);
  const select = `
    SELECT name, description, kind, encrypted_bundle AS data, encryption_nonce AS nonce,
           allowed_aspects AS allowed, mode, created_at AS createdAt, updated_at AS updatedAt,
           last_used_at AS lastUsedAt, seal_version AS version, key_id AS keyId
    FROM credentials`;
  return {
    one: prepare(`${select} WHERE name = ?`),
    list: prepare(`${select} WHERE :kind IS NULL OR kind = :kind ORDER BY name`),
    size: prepare(
      `SELECT count(*) AS count, coalesce(sum(length(encrypted_bundle)), 0) AS bytes
       FROM credentials WHERE name <> ?`,
    ),
    audit: prepare(
      `SELECT id, credential_name AS name, aspect, action, ts AS at, details
       FROM credential_audit WHERE credential_name = ? ORDER BY id DESC LIMIT ?`,
    ),
    default: prepare(
      'SELECT credential FROM credential_defaults WHERE aspect = ? AND use = ?',
    ).pluck(),
  };
}
