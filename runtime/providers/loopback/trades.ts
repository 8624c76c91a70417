import type { Self, Teammate } from './self.ts';
import { stemsOf } from './wording.ts';

/** A kind of work: how a role names it, what requests for it say, and how it looks at things. */
interface Trade {
  role: RegExp;
  work: RegExp;
  perspective: string;
}

const TRADES: readonly Trade[] = [
  {
    role: /coordinat|lead|manag|plan|orchestrat/i,
    work: /\b(plan|coordinat|organi[sz]|priorit|schedul|assign|deadline|roadmap)/i,
    perspective: 'Before anything else I would settle who does what, and what "done" means.',
  },
  {
    role: /review|critic|audit|quality|secur/i,
    work: /\b(review|check|audit|risk|critique|assess|proofread|verif|secur|safe|wrong|feedback|opinion|test)/i,
    perspective: 'I would want to see how it can fail before I call it good.',
  },
  {
    role: /test|qa\b/i,
    work: /\b(test|reproduc|cover|regress)/i,
    perspective: 'I would write down first how we will know that it works.',
  },
  {
    role: /research|analy|explor/i,
    work: /\b(research|find out|investigat|compar|analy|explor|look into|learn|explain|why)/i,
    perspective: 'I would first collect what is already known, and what is only assumed.',
  },
  {
    role: /writ|document|edit/i,
    work: /\b(write up|document|docs|draft|edit|text|article|readme|summar|wording)/i,
    perspective: 'I would ask first who reads it and what they need from it.',
  },
  {
    role: /design|ux|ui\b/i,
    work: /\b(design|layout|sketch|mock|look and feel|colou?r|style)/i,
    perspective: 'I would start from what the person in front of it wants to get done.',
  },
  {
    role: /build|develop|engineer|cod|programm|implement|mak/i,
    work: /\b(build|implement|cod|fix|writ|creat|add|mak|develop|refactor|deploy|ship|set up|install|page|app|feature|script|bug)/i,
    perspective: 'I would start with the smallest version that runs, and grow it from there.',
  },
];

const EXAMINES = /research|analy|review|critic|audit|test/i;
const MAKES = /build|develop|engineer|cod|programm|implement|mak|writ|design/i;
const ANY_PERSPECTIVE = 'I would take the smallest step that shows whether it works.';

/** One sentence on how a role looks at things. */
export function perspectiveOf(role: string): string {
  return TRADES.find((trade) => trade.role.test(role))?.perspective ?? ANY_PERSPECTIVE;
}

export function isCoordinator(self: Self): boolean {
  return /coordinat/i.test(self.role);
}

/**
 * The teammate whose role fits a request best: by the words of the role, by the work that such
 * roles do, and failing both by its form, since questions suit those who examine things and
 * requests those who make them. Undefined when nobody fits better than `self` does.
 */
export function findFitting(
  self: Self,
  request: string,
  form: 'question' | 'request' | 'statement',
): Teammate | undefined {
  const own = fit(self.role, request);
  let best: { mate: Teammate; score: number } | undefined;
  for (const mate of self.team) {
    const score = fit(mate.role, request);
    if (score > (best?.score ?? 0) && score >= own) best = { mate, score };
  }
  if (best || own > 0 || form === 'statement') return best?.mate;
  const nature = form === 'question' ? EXAMINES : MAKES;
  return self.team.find((mate) => nature.test(mate.role));
}

/** A role's own words count double; words typical for its trade count once. */
function fit(role: string, request: string): number {
  const wanted = stemsOf(request);
  const own = [...stemsOf(role)].filter((stem) => wanted.has(stem)).length;
  const typical = TRADES.some((trade) => trade.role.test(role) && trade.work.test(request));
  return own * 2 + (typical ? 1 : 0);
}
