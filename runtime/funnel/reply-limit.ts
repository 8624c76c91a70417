import type { Entry } from '../session/entry.ts';

/**
 * How many times the aspect spoke in a thread since the operator last did. The model is not asked
 * again past a limit, so that two aspects cannot keep each other talking for ever.
 */
export function repliesSinceOperator(
  path: readonly Entry[],
  threadRoot: number,
  operator: string,
): number {
  const turns = new Set<string>();
  let replies = 0;
  for (const entry of path) {
    if (entry.kind === 'turn.user' && entry.payload.trigger.threadRoot === threadRoot) {
      turns.add(entry.payload.turnId);
      if (entry.payload.trigger.from === operator) replies = 0;
    } else if (entry.kind === 'turn.assistant' && turns.has(entry.payload.turnId)) {
      if (entry.payload.text.trim() !== '') replies += 1;
    }
  }
  return replies;
}
