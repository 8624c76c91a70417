import { hash } from 'node:crypto';

/** What precedes the first event. */
export const genesisHash = '';

/** The columns that a link of the chain covers, as they are stored. */
export interface ChainedRow {
  readonly position: number;
  readonly at: number;
  readonly kind: string;
  readonly actor: string;
  readonly body: string;
}

/**
 * The hash of a row: SHA-256, base64, over the previous row's hash and every column, separated by
 * newlines. No column before `body` can hold a newline, so the text has one reading only.
 */
export function chainHash(previous: string, row: ChainedRow): string {
  const text = `${previous}\n${row.position}\n${row.at}\n${row.kind}\n${row.actor}\n${row.body}`;
  return hash('sha256', text, 'base64');
}
