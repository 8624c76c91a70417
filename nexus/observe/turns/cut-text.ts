/** Bytes of a text inside a JSON text, without its quotes. */
export const encodedBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2;

/**
 * The longest beginning of a text that takes at most `maxBytes`, as `bytesOf` counts them. Never
 * splits a character that takes two code units, and holds on to nothing of the rest.
 */
export function cutText(
  text: string,
  maxBytes: number,
  bytesOf: (text: string) => number = encodedBytes,
): string {
  // A code unit takes at least one byte.
  const longest = Math.min(text.length, Math.max(0, maxBytes));
  const isShortEnough = (length: number) => bytesOf(beginning(text, length)) <= maxBytes;
  if (isShortEnough(longest)) return copyOf(beginning(text, longest), text);
  let [fits, tooLong] = [0, longest];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (isShortEnough(middle)) fits = middle;
    else tooLong = middle;
  }
  return copyOf(beginning(text, fits), text);
}

/** A cut text, and a sign that it was cut. */
export function cutWithMark(text: string, maxBytes: number, mark = '…'): string {
  const kept = cutText(text, maxBytes);
  return kept.length < text.length ? kept + mark : kept;
}

/** So many code units, or one fewer where that would split a pair. */
function beginning(text: string, length: number): string {
  if (length >= text.length) return text;
  const last = text.charCodeAt(length - 1);
  const isFirstHalf = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, isFirstHalf ? length - 1 : length);
}

/** A part of a text keeps the whole text in memory, in V8, and the whole may be a thousand times it. */
const copyOf = (part: string, text: string): string =>
  part.length === text.length ? part : (JSON.parse(JSON.stringify(part)) as string);
