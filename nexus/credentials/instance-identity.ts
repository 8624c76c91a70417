import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import type { Connection, Database, Migration } from '../storage/database.ts';
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
  /** Its Ed25519 key, 32 bytes a half. */
  readonly publicKey: Buffer;
  readonly seed: Buffer;
}

interface IdentityRow {
  readonly nexusId: string;
  readonly publicKey: Buffer;
  /** The seed, then the public key (auth spec §3). */
  readonly privateKey: Buffer;
  readonly sessionSecret: Buffer;
}

/** Loads the identity, or creates it on first use. */
export function ensureInstanceIdentity({ writer }: Database, now: number): InstanceIdentity {
  const present = findInstanceIdentity(writer);
  if (present) return present;
  const nexusId = randomUUID();
  const { seed, publicKey } = newEd25519Pair();
  const sessionSecret = randomBytes(32);
  writer
    .prepare(
      `INSERT INTO nexus_identity
         (id, nexus_id, server_pubkey, server_privkey, session_signing_secret, created_at)
       VALUES (1, ?, ?, ?, ?, ?)`,
    )
    .run(nexusId, publicKey, Buffer.concat([seed, publicKey]), sessionSecret, sqlTime(now));
  return { nexusId, publicKey, seed, sessionSecret, isNew: true };
}

/** The stored identity, if there is one. */
export function findInstanceIdentity(db: Connection): InstanceIdentity | undefined {
  const row = db
    .prepare(
      `SELECT nexus_id AS nexusId, server_pubkey AS publicKey, server_privkey AS privateKey,
              session_signing_secret AS sessionSecret
       FROM nexus_identity WHERE id = 1`,
    )
    .get() as IdentityRow | undefined;
  if (!row) return undefined;
  const { nexusId, publicKey, privateKey, sessionSecret } = row;
  return { nexusId, publicKey, seed: privateKey.subarray(0, 32), sessionSecret, isNew: false };
}

function newEd25519Pair(): { seed: Buffer; publicKey: Buffer } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
  return { seed: Buffer.from(d, 'base64url'), publicKey: Buffer.from(x, 'base64url') };
}
