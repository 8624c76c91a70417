import type { Statement } from 'better-sqlite3';
import type { Connection } from './database.ts';

/** Rows of one statement, largest first. Calling into SQLite costs as much as inserting a row. */
const sizes = [16, 4, 1] as const;

/** Inserts rows into one table, as many as possible with one call. */
export class BulkInsert {
  readonly #statements: readonly { readonly rows: number; readonly statement: Statement }[];

  constructor(db: Connection, table: string, columns: readonly string[]) {
    const row = `(${columns.map(() => '?').join(', ')})`;
    const into = `INSERT INTO ${table} (${columns.join(', ')}) VALUES`;
    this.#statements = sizes.map((rows) => ({
      rows,
      statement: db.prepare(`${into} ${Array(rows).fill(row).join(', ')}`),
    }));
  }

  /** Inserts in order; each row has a value for every column. */
  run(rows: readonly (readonly unknown[])[]): void {
    let next = 0;
    for (const { rows: size, statement } of this.#statements) {
      for (; next + size <= rows.length; next += size) {
        statement.run(rows.slice(next, next + size).flat());
      }
    }
  }
}
