/** Milliseconds since the epoch in the form of SQLite's `datetime('now')` (storage spec §2.1). */
export const sqlTime = (ms: number): string =>
  new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
