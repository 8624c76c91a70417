import type { Statement } from 'better-sqlite3';
import type { Connection } from './database.ts';

/** Rows of one statement. Calling into SQLite costs about as much as inserting a row. */
const rowsAtOnce = 16;

/** Inserts rows into one table, as many as possible with one call. */
export class BulkInsert {
  readonly #single: Statement;
  readonly #many: Statement;

  constructor(db: Connection, table: string, columns: readonly string[]) {
    const row = `(${columns.map(() => '?').join(', ')})`;
    const prepare = (rows: number): Statement =>
      db.prepare(
        `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${Array(rows).fill(row).join(', ')}`,
      );
    this.#single = prepare(1);
    this.#many = prepare(rowsAtOnce);
  }

  /** Inserts in order; each row has a value for every column. */
  run(rows: readonly (readonly unknown[])[]): void {
    let next = 0;
    for (; next + rowsAtOnce <= rows.length; next += rowsAtOnce) {
      this.#many.run(rows.slice(next, next + rowsAtOnce).flat());
    }
    for (; next < rows.length; next++) this.#single.run(rows[next]);
  }
}
