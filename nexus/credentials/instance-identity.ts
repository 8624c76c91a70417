import { randomBytes, randomUUID } from 'node:crypto';
import { keyBytes, newSigningPair, type SigningPair } from '#shared/crypto/ed25519-keys';
import type { Database, Migration } from '../storage/database.ts';
import { sqlTime } from '../storage/sql-time.ts';

/** The reference's table, byte for byte (auth spec §3). Private keys never enter the journal. */
export const identityMigration: Migration = {
  name: 'instance identity',
  sql: `
    CREATE TABLE nexus_identity (
      id                     INTEGER PRIMARY KEY CHECK (id = 1),
      nexus_id               TEXT NOT NULL,
      server_pubkey          BLOB NOT NULL,
      server_privkey         BLOB NOT NULL,
      session_signing_secret BLOB NOT NULL,
      created_at             TEXT NOT NULL DEFAULT (datetime('now'))
    );
  `,
};

/** Who this Nexus is. Created once, stable for the life of its database. */
export interface InstanceIdentity {
  /** A random UUID. */
  readonly nexusId: string;
  /** True when it was made just now: the first start on this data directory. */
  readonly isNew: boolean;
  /** Signs session tokens. 32 bytes. */
  readonly sessionSecret: Buffer;
  /** What keyfiles are sealed to. */
  readonly serverKeys: SigningPair;
}

/** Loads the identity, or creates it on first use. */
export function ensureInstanceIdentity({ writer }: Database, now: number): InstanceIdentity {
  const present = writer
    .prepare(
      `SELECT nexus_id AS nexusId, session_signing_secret AS sessionSecret,
              server_pubkey AS publicKey, server_privkey AS privateKey
       FROM nexus_identity WHERE id = 1`,
    )
    .get() as IdentityRow | undefined;
  if (present) {
    const { nexusId, sessionSecret, publicKey, privateKey } = present;
    const serverKeys = { seed: privateKey.subarray(0, keyBytes), publicKey };
    return { nexusId, sessionSecret, serverKeys, isNew: false };
  }

  const nexusId = randomUUID();
  const sessionSecret = randomBytes(32);
  const serverKeys = newSigningPair();
  const { seed, publicKey } = serverKeys;
  writer
    .prepare(
      `INSERT INTO nexus_identity
         (id, nexus_id, server_pubkey, server_privkey, session_signing_secret, created_at)
       VALUES (1, ?, ?, ?, ?, ?)`,
    )
    .run(nexusId, publicKey, Buffer.concat([seed, publicKey]), sessionSecret, sqlTime(now));
  return { nexusId, sessionSecret, serverKeys, isNew: true };
}

interface IdentityRow {
  readonly nexusId: string;
  readonly sessionSecret: Buffer;
  readonly publicKey: Buffer;
  /** The seed and, after it, the public key. */
  readonly privateKey: Buffer;
}
