/** Bytes of one answer's rows, so that its frame stays below what readers accept (1 MiB). */
const maxPageBytes = 768 * 1024;

/** The longest prefix that fits one frame, as encoded; never empty unless the page is. */
export function withinBytes<Row>(rows: readonly Row[]): Row[] {
  let bytes = 0;
  const kept: Row[] = [];
  for (const row of rows) {
    bytes += Buffer.byteLength(JSON.stringify(row));
    if (kept.length > 0 && bytes > maxPageBytes) break;
    kept.push(row);
  }
  return kept;
}
