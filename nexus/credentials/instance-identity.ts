import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
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
}

/** Loads the identity, or creates it on first use. */
export function ensureInstanceIdentity({ writer }: Database, now: number): InstanceIdentity {
  const present = writer
    .prepare(
      `SELECT nexus_id AS nexusId, session_signing_secret AS sessionSecret
       FROM nexus_identity WHERE id = 1`,
    )
    .get() as Omit<InstanceIdentity, 'isNew'> | undefined;
  if (present) return { ...present, isNew: false };

  const nexusId = randomUUID();
  const sessionSecret = randomBytes(32);
  const { seed, publicKey } = newEd25519Pair();
  writer
    .prepare(
      `INSERT INTO nexus_identity
         (id, nexus_id, server_pubkey, server_privkey, session_signing_secret, created_at)
       VALUES (1, ?, ?, ?, ?, ?)`,
    )
    .run(nexusId, publicKey, Buffer.concat([seed, publicKey]), sessionSecret, sqlTime(now));
  return { nexusId, sessionSecret, isNew: true };
}

function newEd25519Pair(): { seed: Buffer; publicKey: Buffer } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
  return { seed: Buffer.from(d, 'base64url'), publicKey: Buffer.from(x, 'base64url') };
}
