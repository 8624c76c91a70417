import type { Access } from '#shared/frames/define';
import { operatorName } from '../credentials/identity.ts';
import type { Connection } from '../storage/database.ts';
import { fromSqlTime, sqlTime } from '../storage/sql-time.ts';

/** One of the people who run this Nexus. */
export interface Account {
  readonly name: string;
  readonly access: Access;
  /** RFC 3339; absent for the first one, who came with the data directory. */
  readonly createdAt?: string;
}

/** Who can read the data directory: always there, always an admin. */
const first: Account = { name: operatorName, access: 'admin' };

/** The rows of `operators`. Names are unique regardless of case. */
export class AccountRows {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  find(name: string): Account | undefined {
    if (name.toLowerCase() === operatorName) return first;
    return this.#db
      .prepare('SELECT name, access, created_at AS createdAt FROM operators WHERE name = ?')
      .get(name) as Account | undefined;
  }

  list(): Account[] {
    const rows = this.#db
      .prepare('SELECT name, access, created_at AS createdAt FROM operators ORDER BY name')
      .all() as Required<Account>[];
    return [first, ...rows.map((row) => ({ ...row, createdAt: fromSqlTime(row.createdAt) }))];
  }

  add(name: string, access: Access, at: number): void {
    this.#db
      .prepare('INSERT INTO operators (name, access, created_at) VALUES (?, ?, ?)')
      .run(name, access, sqlTime(at));
  }

  /** Throws when there is no such operator. */
  assertThere(name: string): void {
    if (!this.find(name)) throw new Error(`there is no operator ${name}`);
  }

  change(name: string, access: Access): void {
    this.#db.prepare('UPDATE operators SET access = ? WHERE name = ?').run(access, name);
  }

  remove(name: string): void {
    this.#db.prepare('DELETE FROM operators WHERE name = ?').run(name);
  }
}
