/** Bytes of a text inside a JSON text, without its quotes. */
export const encodedBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2;

/**
 * The longest beginning of a text that takes at most `maxBytes`, as `bytesOf` counts them. Never
 * splits a character that takes two code units.
 */
export function cutText(
  text: string,
  maxBytes: number,
  bytesOf: (text: string) => number = encodedBytes,
): string {
  // A code unit takes at least one byte.
  const candidate = text.length > maxBytes ? text.slice(0, Math.max(0, maxBytes)) : text;
  if (bytesOf(candidate) <= maxBytes) return whole(candidate, text);
  let [fits, tooLong] = [0, candidate.length];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (bytesOf(candidate.slice(0, middle)) <= maxBytes) fits = middle;
    else tooLong = middle;
  }
  return whole(candidate.slice(0, fits), text);
}

/** A cut text, and a sign that it was cut. */
export function cutWithMark(text: string, maxBytes: number, mark = '…'): string {
  const kept = cutText(text, maxBytes);
  return kept.length < text.length ? kept + mark : kept;
}

/** Without the first half of a pair whose second half was cut off. */
function whole(kept: string, text: string): string {
  if (kept.length === text.length) return kept;
  const last = kept.charCodeAt(kept.length - 1);
  const isFirstHalf = last >= 0xd800 && last <= 0xdbff;
  return isFirstHalf ? kept.slice(0, -1) : kept;
}
