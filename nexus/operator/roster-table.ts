import { styleText } from 'node:util';
import type { RosterRow } from '#shared/frames/roster';

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
  const widths = header.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const body = cells.map((row, index) => {
    const status = rows[index]?.status ?? 'down';
    return line(row).replace(status, styleText(colours[status], status, { stream }));
  });
  return [styleText('dim', line(header), { stream }), ...body].join('\n');
}
