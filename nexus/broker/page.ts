/** Bytes of one answer's rows, so that its frame stays below what readers accept (1 MiB). */
const maxPageBytes = 768 * 1024;

/**
 * The longest prefix that fits one frame, as encoded, and `limit` rows; never empty unless `rows`
 * is. Takes no more from `rows` than it needs to know whether there is more.
 */
export function takePage<Row>(
  rows: Iterable<Row>,
  limit: number,
): { rows: Row[]; hasMore: boolean } {
  const kept: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    bytes += Buffer.byteLength(JSON.stringify(row));
    if (kept.length === limit || (kept.length > 0 && bytes > maxPageBytes)) {
      return { rows: kept, hasMore: true };
    }
    kept.push(row);
  }
  return { rows: kept, hasMore: false };
}
