/** `@name` at the start of the text or after a character that cannot be part of a name. */
const MENTION = /(?<![\w@-])@([\w-]+)/g;

/** Who a text calls, in lower case and in order. */
export function mentionsIn(text: string): string[] {
  return [...text.matchAll(MENTION)].map((match) => (match[1] ?? '').toLowerCase());
}

/** Whether a text calls this aspect, by name or with `@all`. */
export function calls(text: string, name: string): boolean {
  const mentioned = mentionsIn(text);
  return mentioned.includes(name.toLowerCase()) || mentioned.includes('all');
}

/** The text with nobody called in it, whatever reads it. */
export function withoutMentions(text: string): string {
  return text.replace(/@+(?=[\w-])/g, '');
}

/**
 * Takes the names off that a text starts with: `@keel, @wren: hello` is addressed to both.
 * `known` are the names that count without an `@`, as in `wren, look at this`.
 */
export function splitAddress(
  text: string,
  known: readonly string[],
): { addressed: string[]; rest: string } {
  const addressed: string[] = [];
  let rest = text.trim();
  for (;;) {
    const match = /^(@?)([\w-]+)(\s*[,:;]\s*|\s+(?:and\s+(?=@))?|$)/i.exec(rest);
    const name = match?.[2]?.toLowerCase() ?? '';
    const called = match?.[1] === '@' || (known.includes(name) && /[,:]/.test(match?.[3] ?? ''));
    if (!match || !called) return { addressed, rest };
    addressed.push(name);
    rest = rest.slice(match[0].length);
  }
}
