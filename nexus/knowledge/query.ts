/** Characters of a text that are looked at. */
const maxTextLength = 1_000;
const maxWords = 32;

/** A letter or digit and what follows; accents may be characters of their own. */
const word = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;

/**
 * FTS5 expressions that find a text, the strictest first (storage spec §14 C1): its words together
 * in this order, all of them anywhere, any of them. Empty when the text has no word.
 *
 * Each word is quoted and nothing but words gets through, so no text can be a syntax error or an
 * operator.
 */
export function expressionsFor(text: string, mode?: 'phrase'): string[] {
  const words = text.slice(0, maxTextLength).normalize('NFC').match(word)?.slice(0, maxWords) ?? [];
  if (words.length === 0) return [];
  const phrase = quoted(words.join(' '));
  if (mode === 'phrase' || words.length === 1) return [phrase];
  const each = [...new Set(words)].map(quoted);
  return [phrase, each.join(' '), each.join(' OR ')];
}

const quoted = (words: string): string => `"${words}"`;
