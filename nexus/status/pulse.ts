/** What an aspect is doing: one word, and a little more where there is more to say. */
export interface Pulse {
  readonly phase: string;
  readonly detail?: string;
}

export const maxPhaseLength = 64;
export const maxDetailLength = 200;

type Facts = Readonly<Record<string, unknown>>;

interface Meaning {
  readonly phase: string;
  /** The first of these that says something becomes the detail. */
  readonly detail?: readonly string[];
}

/** What the runtime's lifecycle events mean (observability spec §1.7, runtime spec §7.5). */
const meanings: ReadonlyMap<string, Meaning> = new Map([
  ['turn.start', { phase: 'thinking' }],
  ['turn.tool_call', { phase: 'tool', detail: ['name', 'tool'] }],
  ['turn.end', { phase: 'idle', detail: ['error_class', 'stop_reason'] }],
  ['compact.start', { phase: 'compacting', detail: ['reason'] }],
  ['compact.end', { phase: 'idle', detail: ['error'] }],
  ['filter.judging', { phase: 'judging' }],
  ['filter.judged', { phase: 'idle', detail: ['reason'] }],
  ['provider.retry', { phase: 'retrying', detail: ['error_class', 'reason'] }],
  ['goal_loop.continue', { phase: 'thinking', detail: ['reason'] }],
  ['goal_loop.blocked', { phase: 'blocked', detail: ['reason'] }],
  ['goal_loop.cap', { phase: 'idle', detail: ['reason'] }],
]);

/**
 * The pulse of an activity. A `detail` in the payload says more than we would make of it; an
 * unknown type is its own phase.
 */
export function pulseOf(type: string, payload: unknown): Pulse {
  const meaning: Meaning = meanings.get(type) ?? { phase: type };
  const facts: Facts = typeof payload === 'object' && payload !== null ? { ...payload } : {};
  const words = ['detail', ...(meaning.detail ?? [])].map((name) => facts[name]);
  const detail = words.find((word) => typeof word === 'string' && word.trim() !== '');
  return {
    phase: oneLine(meaning.phase, maxPhaseLength) || 'unknown',
    ...(typeof detail === 'string' && { detail: oneLine(detail, maxDetailLength) }),
  };
}

/** Ready for any terminal: one line, not longer than the bound, no half of a character. */
function oneLine(text: string, maxLength: number): string {
  const line = text
    .slice(0, maxLength + 1)
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
  if (line.length <= maxLength) return line.toWellFormed();
  const cut = line.slice(0, maxLength - 1).replace(/[\uD800-\uDBFF]$/, '');
  return `${cut}…`.toWellFormed();
}
