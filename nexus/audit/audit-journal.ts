import { findInstanceIdentity } from '../credentials/instance-identity.ts';
import { genesisHash } from '../journal/hash-chain.ts';
import type { Connection } from '../storage/database.ts';
import { ChainWalk, type StoredEvent } from './chain-walk.ts';
import { AuditError } from './errors.ts';
import type { Head, SignedHead } from './signed-head.ts';

/** What of the journal to show. */
export interface AuditQuery {
  /** Kinds that begin with this; without it everything but chat. */
  readonly kind?: string | undefined;
  readonly actor?: string | undefined;
  /** Only events above this position. */
  readonly above?: number | undefined;
  readonly limit: number;
}

const columns = 'position, at, kind, actor, body, hash';

/** What people say is kept in the journal too, but it is no administration. */
const chatKinds = 'chat.';

/** A journal, read from outside the broker. */
export class AuditJournal {
  readonly #db: Connection;
  readonly nexusId: string;
  readonly publicKey: Buffer;

  /** `db` only reads. Throws `AuditError` when it holds no instance. */
  constructor(db: Connection) {
    this.#db = db;
    const instance = findInstanceIdentity(db);
    if (!instance)
      throw new AuditError('audit.unreadable', 'there is no instance in this database');
    this.nexusId = instance.nexusId;
    this.publicKey = instance.publicKey;
  }

  /** The newest events that fit, oldest first. */
  list({ kind, actor, above = 0, limit }: AuditQuery): StoredEvent[] {
    const rows = this.#db
      .prepare(
        `SELECT ${columns} FROM journal
         WHERE position > :above AND (:actor IS NULL OR actor = :actor)
           AND CASE WHEN :kind IS NULL THEN kind NOT GLOB '${chatKinds}*'
               ELSE substr(kind, 1, length(:kind)) = :kind END
         ORDER BY position DESC LIMIT :limit`,
      )
      .all({ above, actor: actor ?? null, kind: kind ?? null, limit }) as StoredEvent[];
    return rows.reverse();
  }

  /** Every event above a position, oldest first, without holding them in memory. */
  events(above = 0): Iterable<StoredEvent> {
    return this.#db
      .prepare(`SELECT ${columns} FROM journal WHERE position > ? ORDER BY position`)
      .iterate(above) as Iterable<StoredEvent>;
  }

  /** Where a walk starts that begins above a position. */
  before(above: number): Head {
    if (above === 0) return { position: 0, hash: genesisHash };
    const hash = this.#db.prepare('SELECT hash FROM journal WHERE position = ?').pluck().get(above);
    if (typeof hash !== 'string') {
      throw new AuditError('audit.unreadable', `the journal has no position ${above}`);
    }
    return { position: above, hash };
  }

  /** Heads that the instance signed, oldest first. */
  signedHeads(): SignedHead[] {
    return this.#db
      .prepare('SELECT position, hash, at, signature FROM journal_heads ORDER BY position')
      .all() as SignedHead[];
  }

  /**
   * Walks the whole journal and checks every signature. Throws `AuditError` at the first thing
   * that does not hold. `progress` is told how far it got.
   */
  verify(progress: (position: number) => void = () => undefined): Verified {
    const walk = new ChainWalk(this.before(0));
    const signed = new Map(this.signedHeads().map((head) => [head.position, head]));
    let vouchedFor = 0;
    for (const event of this.events()) {
      walk.step(event);
      progress(event.position);
      const head = signed.get(event.position);
      if (!head) continue;
      walk.confirm(head, this);
      signed.delete(event.position);
      vouchedFor = event.position;
    }
    const [missing] = signed.keys();
    if (missing !== undefined) {
      const message = `the journal ends at ${walk.head.position}, but position ${missing} was signed`;
      throw new AuditError('audit.altered', message);
    }
    return { head: walk.head, signedUpTo: vouchedFor };
  }
}

/** What a check found to hold. */
export interface Verified {
  readonly head: Head;
  /** The newest position that a signature covers. */
  readonly signedUpTo: number;
}
