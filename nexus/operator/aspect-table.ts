import { styleText } from 'node:util';
import type { AspectView } from '../aspects/aspect-view.ts';
import { aligned } from './text-table.ts';

/** The aspects that have an identity, as a table for people. */
export function aspectTable(rows: readonly AspectView[], stream: NodeJS.WriteStream): string {
  if (rows.length === 0) return 'no aspect was ever given a keyfile here';
  const header = ['NAME', 'STATUS', 'KEYFILE', 'FINGERPRINT', 'PROVIDER', 'MODEL', 'CHANGED'];
  const cells = rows.map((row) => [
    row.name,
    row.status,
    row.has_keyfile ? `version ${row.keyfile_version}` : 'to be minted',
    row.has_keyfile ? row.fingerprint : '',
    row.provider,
    row.model,
    row.updated_at.slice(0, 19).replace('T', ' '),
  ]);
  const [head = '', ...lines] = aligned([header, ...cells]);
  return [styleText('dim', head, { stream }), ...lines].join('\n');
}
