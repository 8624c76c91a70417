import type { Statement } from 'better-sqlite3';
import type { JournalEvent, Projection } from '../journal/journal.ts';
import type { Database, Migration } from '../storage/database.ts';
import { sqlTime } from '../storage/sql-time.ts';
import {
  type CentralChanged,
  centralChanged,
  type PersonalityChanged,
  type PersonalityEvent,
  personalityChanged,
} from './events.ts';
import { type Central, noCentral, noPersonality, type Personality } from './personality.ts';

/**
 * Tables of the reference (storage spec §4.4); `composed` is its cache, which it empties at every
 * write, and stays empty here. Earlier versions are ours.
 */
export const personalityMigration: Migration = {
  name: 'personalities',
  sql: `
    CREATE TABLE aspect_personalities (
      aspect_name TEXT PRIMARY KEY,
      nexus_md    TEXT NOT NULL DEFAULT '',
      soul_md     TEXT NOT NULL DEFAULT '',
      primer_md   TEXT NOT NULL DEFAULT '',
      composed    TEXT NOT NULL DEFAULT '',
      version     INTEGER NOT NULL DEFAULT 1,
      updated_at  TEXT NOT NULL DEFAULT (datetime('now'))
    );
    CREATE TABLE aspect_personality_history (
      aspect_name TEXT NOT NULL,
      version     INTEGER NOT NULL,
      nexus_md    TEXT NOT NULL,
      soul_md     TEXT NOT NULL,
      primer_md   TEXT NOT NULL,
      updated_at  TEXT NOT NULL,
      PRIMARY KEY (aspect_name, version)
    ) STRICT;
    CREATE TABLE nexus_settings (
      id         INTEGER PRIMARY KEY CHECK (id = 1),
      nexus_md   TEXT NOT NULL DEFAULT '',
      version    INTEGER NOT NULL DEFAULT 0,
      updated_at TEXT NOT NULL DEFAULT (datetime('now'))
    );
    CREATE TABLE nexus_settings_history (
      version    INTEGER PRIMARY KEY,
      nexus_md   TEXT NOT NULL,
      updated_at TEXT NOT NULL
    ) STRICT;
  `,
};

/** Earlier versions kept of a personality, and of the central document. */
export const maxVersions = 20;

/** Personalities and the central document, as tables derived from the journal. */
export class PersonalityStore implements Projection {
  readonly kinds = [personalityChanged, centralChanged];
  readonly tables = [
    'aspect_personalities',
    'aspect_personality_history',
    'nexus_settings',
    'nexus_settings_history',
  ];
  readonly #write: ReturnType<typeof prepareWrites>;
  readonly #read: ReturnType<typeof prepareReads>;

  constructor(database: Database) {
    this.#write = prepareWrites(database);
    this.#read = prepareReads(database);
  }

  apply(events: readonly JournalEvent[]): void {
    for (const event of events as readonly (JournalEvent & PersonalityEvent)[]) {
      if (event.kind === personalityChanged) this.#applyChange(event);
      else this.#applyCentral(event);
    }
  }

  #applyChange({ body, at }: JournalEvent & PersonalityChanged): void {
    const { aspect, version, nexusMd = null, soulMd = null, primerMd = null } = body;
    const { keep, prune, replace } = this.#write;
    keep.run(aspect);
    prune.run(aspect, aspect);
    replace.run({ aspect, nexusMd, soulMd, primerMd, version, updatedAt: sqlTime(at) });
  }

  #applyCentral({ body: { nexusMd, version }, at }: JournalEvent & CentralChanged): void {
    const { keepCentral, pruneCentral, replaceCentral } = this.#write;
    keepCentral.run();
    pruneCentral.run();
    replaceCentral.run(nexusMd, version, sqlTime(at));
  }

  /** An aspect's personality, by the name as its owner spells it; the one without texts if none. */
  personality(aspect: string): Personality {
    const row = this.#read.personality.get(aspect) as PersonalityRow | undefined;
    return row ? fromRow(row) : noPersonality;
  }

  /** An earlier one, if it is still kept. */
  findEarlier(aspect: string, version: number): Personality | undefined {
    const row = this.#read.earlier.get(aspect, version) as PersonalityRow | undefined;
    return row && fromRow(row);
  }

  central(): Central {
    return (this.#read.central.get() as Central | undefined) ?? noCentral;
  }

  findEarlierCentral(version: number): Central | undefined {
    return this.#read.earlierCentral.get(version) as Central | undefined;
  }
}

interface PersonalityRow {
  nexusMd: string;
  soulMd: string;
  primerMd: string;
  version: number;
  updatedAt: string;
}

const fromRow = ({ version, updatedAt, ...documents }: PersonalityRow): Personality => ({
  documents,
  version,
  updatedAt,
});

const documents = 'nexus_md AS nexusMd, soul_md AS soulMd, primer_md AS primerMd';
const state = 'version, updated_at AS updatedAt';

function prepareWrites({ writer }: Database) {
  const prepare = (sql: string): Statement => writer.prepare(sql);
  return {
    keep: prepare(
      `INSERT INTO aspect_personality_history
         (aspect_name, version, nexus_md, soul_md, primer_md, updated_at)
       SELECT aspect_name, version, nexus_md, soul_md, primer_md, updated_at
       FROM aspect_personalities WHERE aspect_name = ?`,
    ),
    prune: prepare(
      `DELETE FROM aspect_personality_history WHERE aspect_name = ? AND version <= (
         SELECT version FROM aspect_personality_history WHERE aspect_name = ?
         ORDER BY version DESC LIMIT 1 OFFSET ${maxVersions})`,
    ),
    replace: prepare(
      `INSERT INTO aspect_personalities
         (aspect_name, nexus_md, soul_md, primer_md, version, updated_at)
       VALUES (@aspect, coalesce(@nexusMd, ''), coalesce(@soulMd, ''), coalesce(@primerMd, ''),
         @version, @updatedAt)
       ON CONFLICT (aspect_name) DO UPDATE SET nexus_md = coalesce(@nexusMd, nexus_md),
         soul_md = coalesce(@soulMd, soul_md), primer_md = coalesce(@primerMd, primer_md),
         composed = '', version = @version, updated_at = @updatedAt`,
    ),
    keepCentral: prepare(
      `INSERT INTO nexus_settings_history (version, nexus_md, updated_at)
       SELECT version, nexus_md, updated_at FROM nexus_settings`,
    ),
    pruneCentral: prepare(
      `DELETE FROM nexus_settings_history WHERE version <= (
         SELECT version FROM nexus_settings_history
         ORDER BY version DESC LIMIT 1 OFFSET ${maxVersions})`,
    ),
    replaceCentral: prepare(
      `INSERT INTO nexus_settings (id, nexus_md, version, updated_at) VALUES (1, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET nexus_md = excluded.nexus_md, version = excluded.version,
         updated_at = excluded.updated_at`,
    ),
  };
}

function prepareReads({ reader }: Database) {
  const prepare = (sql: string): Statement => reader.prepare(sql);
  return {
    personality: prepare(
      `SELECT ${documents}, ${state} FROM aspect_personalities WHERE aspect_name = ?`,
    ),
    earlier: prepare(
      `SELECT ${documents}, ${state} FROM aspect_personality_history
       WHERE aspect_name = ? AND version = ?`,
    ),
    central: prepare(`SELECT nexus_md AS nexusMd, ${state} FROM nexus_settings`),
    earlierCentral: prepare(
      `SELECT nexus_md AS nexusMd, ${state} FROM nexus_settings_history WHERE version = ?`,
    ),
  };
}
