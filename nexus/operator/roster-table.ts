import { styleText } from 'node:util';
import type { RosterRow } from '#shared/frames/roster';
import { aligned } from './text-table.ts';

const colours = { live: 'green', stale: 'yellow', down: 'red' } as const;

/** The roster as a table for people. */
export function rosterTable(rows: readonly RosterRow[], stream: NodeJS.WriteStream): string {
  if (rows.length === 0) return 'nobody is registered';
  const header = ['NAME', 'STATUS', 'PROVIDER', 'MODEL', 'MODE', 'LAST SEEN'];
  const cells = rows.map((row) => [
    row.role === 'frame' ? `${row.name} (frame)` : row.name,
    row.status,
    row.provider ?? '',
    row.model ?? '',
    row.context_mode ?? '',
    row.last_seen?.slice(0, 19).replace('T', ' ') ?? '',
  ]);
  const [head = '', ...lines] = aligned([header, ...cells]);
  const body = lines.map((line, index) => {
    const status = rows[index]?.status ?? 'down';
    return line.replace(status, styleText(colours[status], status, { stream }));
  });
  return [styleText('dim', head, { stream }), ...body].join('\n');
}
