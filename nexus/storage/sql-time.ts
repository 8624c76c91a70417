let cachedMs = Number.NaN;
let cachedText = '';

/**
 * Milliseconds since the epoch in the form of SQLite's `datetime('now')` (storage spec §2.1). The
 * last text is kept: all events of one commit have the same time.
 */
export function sqlTime(ms: number): string {
  if (ms !== cachedMs) {
    cachedMs = ms;
    cachedText = new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
  }
  return cachedText;
}

/** A stored time as RFC 3339; imported rows may have that form already. */
export const fromSqlTime = (text: string): string =>
  text.includes('T') ? text : `${text.replace(' ', 'T')}Z`;

/** The same moment as the whole-second RFC 3339 that the wire shows. */
export const wireTime = (ms: number): string => `${sqlTime(ms).replace(' ', 'T')}Z`;
