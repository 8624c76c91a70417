/** Names that no aspect may have: they mean something else on the wire. */
const reserved: ReadonlySet<string> = new Set([
  'all',
  'frame',
  'nexus',
  'nexus-issues',
  'operator',
  'orchestrator',
  'system',
]);

const wellFormed = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;

/** Why a text cannot be an aspect's name, or undefined when it can (auth spec §14 A3). */
export function nameProblem(name: string): string | undefined {
  if (!wellFormed.test(name)) {
    return `"${name}" is not a name: use 1 to 32 letters, digits, "_" or "-", starting with a letter or digit`;
  }
  if (reserved.has(name.toLowerCase())) return `"${name}" is reserved; choose another name`;
  return undefined;
}

/** Names are unique regardless of case. Maps are keyed by this form. */
export const nameKey = (name: string): string => name.toLowerCase();
