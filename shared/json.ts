/**
 * Parses JSON from outside. Half a surrogate pair, which no UTF-8 text can carry and two readers
 * would keep differently, reads as U+FFFD, as it does in Go. Throws `SyntaxError`.
 */
export function parseJson(text: string): unknown {
  const mayBeHalved = text.includes('\\ud') || text.includes('\\uD');
  return JSON.parse(mayBeHalved ? text.replace(escapes, halfToReplacement) : text);
}

/** Every escape, so that what follows an escaped backslash is not taken for one. */
const escapes =
  /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(?<half>u[dD][89a-fA-F][\da-fA-F]{2})|.)/gs;

const halfToReplacement = (whole: string, half: string | undefined): string =>
  half ? '\\ufffd' : whole;

/** Arrays and objects inside each other that we take: what is kept is written again one day. */
export const maxJsonDepth = 64;

/** Whether a parsed value nests more arrays and objects than so many. */
export function isTooDeep(value: unknown, levels = maxJsonDepth): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isTooDeep(item, levels - 1));
  const members = value as Record<string, unknown>;
  for (const name in members) if (isTooDeep(members[name], levels - 1)) return true;
  return false;
}
