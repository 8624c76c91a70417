/** Rows of the REST side as a table for people; columns by their member's name. */
export function restTable(
  rows: readonly Record<string, unknown>[],
  columns: Readonly<Record<string, string>>,
): string {
  const header = Object.keys(columns);
  const cells = rows.map((row) => Object.values(columns).map((member) => shown(row[member])));
  const widths = header.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(header), ...cells.map(line)].join('\n');
}

/** One line, and nothing that a terminal would obey: some of it was sent by a browser. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = String(value).replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d).*$/, '$1 $2');
  return text.replaceAll(/\p{C}/gu, '?').slice(0, 60);
}
