import { stemsOf } from './wording.ts';

/** How many of its principles an aspect brings up in one answer. */
const MAX_BROUGHT_UP = 2;

/**
 * The principles that have most to do with a matter, best first. Where none has, which ones come
 * depends on the matter alone: different for different matters, the same for the same.
 */
export function relevantTo(principles: readonly string[], matter: string): string[] {
  const wanted = stemsOf(matter);
  const start = checksum(matter) % Math.max(1, principles.length);
  return [...principles.slice(start), ...principles.slice(0, start)]
    .map((principle) => ({ principle, shared: overlap(principle, wanted) }))
    .sort((a, b) => b.shared - a.shared)
    .slice(0, MAX_BROUGHT_UP)
    .map(({ principle }) => principle);
}

function overlap(text: string, wanted: ReadonlySet<string>): number {
  return [...stemsOf(text)].filter((stem) => wanted.has(stem)).length;
}

function checksum(text: string): number {
  let sum = 0;
  for (const char of text) sum += char.codePointAt(0) ?? 0;
  return sum;
}
