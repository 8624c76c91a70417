import type { Migration } from '../storage/database.ts';

/**
 * The reference's tables (storage spec §4.4). Ours are `seal_version` and `key_id`, which are NULL
 * where the reference sealed, and `credential_defaults`. The audit outlives what it speaks of, and
 * knows names that never were, so it refers to no other table (auth spec §14 C5).
 */
export const vaultMigration: Migration = {
  name: 'credentials and MCP profiles',
  sql: `
    CREATE TABLE credentials (
      name             TEXT PRIMARY KEY,
      description      TEXT NOT NULL DEFAULT '',
      kind             TEXT NOT NULL,
      encrypted_bundle BLOB NOT NULL,
      encryption_nonce BLOB NOT NULL,
      allowed_aspects  TEXT NOT NULL DEFAULT '["*"]',
      mode             TEXT NOT NULL DEFAULT 'proxy' CHECK (mode IN ('proxy', 'fetch', 'both')),
      created_at       TEXT NOT NULL,
      updated_at       TEXT NOT NULL,
      last_used_at     TEXT,
      seal_version     INTEGER,
      key_id           TEXT
    );
    CREATE INDEX idx_credentials_kind ON credentials(kind);

    CREATE TABLE credential_audit (
      id              INTEGER PRIMARY KEY,
      credential_name TEXT NOT NULL,
      aspect          TEXT NOT NULL,
      action          TEXT NOT NULL
        CHECK (action IN ('proxy_call', 'plaintext_fetch', 'fetch', 'denied')),
      ts              TEXT NOT NULL DEFAULT (datetime('now')),
      details         TEXT NOT NULL DEFAULT '{}'
    );
    CREATE INDEX idx_credential_audit_name ON credential_audit(credential_name, ts);
    CREATE INDEX idx_credential_audit_aspect ON credential_audit(aspect, ts);

    CREATE TABLE credential_defaults (
      aspect     TEXT NOT NULL COLLATE NOCASE,
      use        TEXT NOT NULL,
      credential TEXT NOT NULL,
      PRIMARY KEY (aspect, use)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE mcp_profiles (
      aspect_name TEXT PRIMARY KEY COLLATE NOCASE,
      profile     TEXT NOT NULL DEFAULT '{}',
      updated_at  TEXT NOT NULL
    );
  `,
};
