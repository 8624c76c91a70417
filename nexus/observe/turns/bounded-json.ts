import { cutWithMark } from './cut-text.ts';

/** Deeper JSON is not shown: encoding it could exhaust the stack. */
export const maxDepth = 64;

const tooDeep = `… [nested more than ${maxDepth} deep]`;

/** Any value's JSON text; a stand-in for one that is nested too deeply. */
export const jsonText = (value: unknown): string =>
  isDeeperThan(value, maxDepth) ? tooDeep : (JSON.stringify(value) ?? '');

/** The value itself while its JSON text has at most `maxBytes`; else the beginning of that text. */
export function boundedJson(value: unknown, maxBytes: number): unknown {
  if (value === undefined) return null;
  const text = jsonText(value);
  if (text === tooDeep) return tooDeep;
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return value;
  const shown = typeof value === 'string' ? value : text;
  return cutWithMark(shown, maxBytes, `… [${bytes} bytes in all]`);
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}
