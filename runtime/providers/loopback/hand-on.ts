import { isAsk, isVague } from './intent.ts';
import { withoutMentions } from './mentions.ts';
import type { Self, Teammate } from './self.ts';
import { excerpt, lowerFirst } from './wording.ts';

/** Something to pass on: what for, and to whom. */
export interface HandOn {
  to: readonly Teammate[];
  request: string;
}

/** Longest request that is passed on, and longest reminder of what it is about. */
const MAX_REQUEST = 600;
const MAX_SUBJECT = 200;

/** What was found in the operator's words: an object before the names, the rest after them. */
interface Found {
  object: string;
  rest: string;
}

/** NAMES stands for one or more teammates. */
const PATTERNS: readonly { pattern: string; request: (found: Found) => string }[] = [
  {
    pattern: '\\blet\\s+NAMES\\s+know\\b[,:]?\\s*(?<rest>.*)$',
    request: ({ rest }) => noted(rest),
  },
  { pattern: '\\b(?:ask|get|have)\\s+NAMES[,:]?(?<rest>.*)$', request: ({ rest }) => wanted(rest) },
  { pattern: '\\btell\\s+NAMES[,:]?(?<rest>.*)$', request: ({ rest }) => told(rest) },
  {
    pattern:
      '\\b(?:hand|pass|give|assign|delegate|forward)\\s+(?<object>[^.!?]{1,200}?)\\s+(?:(?:on|over)\\s+)?to\\s+NAMES[,:]?(?<rest>.*)$',
    request: handed,
  },
  {
    pattern: '\\bwhat\\s+(?:does|do|would|might)\\s+NAMES\\s+think\\s+(?:about|of)\\s+(?<rest>.*)$',
    request: ({ rest }) => viewOn(rest),
  },
  {
    pattern: '\\b(?:what|how)\\s+NAMES\\s+thinks?\\s+(?:about|of)\\s+(?<rest>.*)$',
    request: ({ rest }) => viewOn(rest),
  },
  {
    pattern:
      "\\bwhat(?:'s| is| are)\\s+NAMES'?s?\\s+(?:view|opinion|take|thoughts)\\s+(?:on|of|about)\\s+(?<rest>.*)$",
    request: ({ rest }) => viewOn(rest),
  },
];

/**
 * Finds a request to hand something to teammates: "ask anvil to build Y", "hand this to @anvil",
 * "what does anvil think about Z, ask them". `before` is what a bare "this" refers to.
 */
export function findHandOn(text: string, self: Self, before?: string): HandOn | undefined {
  const names = namesPattern(self.team);
  for (const { pattern, request } of PATTERNS) {
    const match = new RegExp(pattern.replace('NAMES', names), 'is').exec(text);
    const { names: listed = '', object = '', rest = '' } = match?.groups ?? {};
    const to = recipientsIn(listed, self.team);
    if (!match || to.length === 0) continue;
    const lead = excerpt(text.slice(0, match.index).replace(LEAD_IN, ''), MAX_SUBJECT);
    return { to, request: complete(request({ object, rest: rest.trim() }), lead || before) };
  }
  return undefined;
}

/** The line that makes a teammate get the request. The only place where anyone is mentioned. */
export function mentionLine(mate: Teammate, request: string): string {
  return `@${mate.name} ${withoutMentions(request)}`;
}

/** A request worded so that its reader knows it is one. */
export function asAsk(text: string): string {
  return isAsk(text) ? lowerFirst(text) : `please take this on: ${text}`;
}

/** Politeness before the verb says nothing about the matter itself. */
const LEAD_IN =
  /(?:^|(?<=[.!?,])\s*)(?:please|can you|could you|would you|will you|and|then|so|now|just|go)?\s*$/i;
const OPINION =
  /^(?:what (?:he|she|it|they) thinks? (?:about|of)|for (?:his|her|their|its|an) opinion (?:on|of|about)|about)\s+/i;
const ASK_THEM = /[\s,.;?!]*\b(?:please\s+)?(?:just\s+)?ask (?:them|him|her|it)\b.*$/is;

function wanted(rest: string): string {
  if (OPINION.test(rest)) return viewOn(rest.replace(OPINION, ''));
  if (/^(?:if|whether)\s/i.test(rest)) return `please say ${rest}`;
  if (/^for\s/i.test(rest)) return rest.replace(/^for/i, 'please give us');
  return rest.replace(/^to\s+/i, '');
}

function told(rest: string): string {
  return /^(?:to|about|what|if|whether)\s/i.test(rest) ? wanted(rest) : noted(rest);
}

function noted(rest: string): string {
  const fact = rest.replace(/^that\s+/i, '');
  return fact === '' || isAsk(fact) ? fact : `please note: ${fact}`;
}

function handed({ object, rest }: Found): string {
  const more = rest.replace(/^to\s+/i, '');
  if (isVague(object)) return more || object;
  return `please take this on: ${object}${more && `, and ${more}`}`;
}

function viewOn(topic: string): string {
  return `what do you think about ${excerpt(topic.replace(ASK_THEM, ''))}?`;
}

/** Fills in what a bare "this" refers to, and what the operator said before asking. */
function complete(request: string, context: string | undefined): string {
  const subject = context === undefined ? '' : excerpt(withoutMentions(context), MAX_SUBJECT);
  // "Could you ask anvil to build Y?" asks us, not anvil; its mark does not go along.
  const text = request.trim().replace(/^please$/i, '');
  const worded = excerpt(text, MAX_REQUEST) + (QUESTION.test(text) ? '?' : '');
  if (isVague(text)) return `please take this on${subject && `: ${subject}`}`;
  const refers = subject !== '' && /\b(?:it|this|that|them)\b/i.test(text);
  const alreadyThere = worded.startsWith('please take this on');
  return asAsk(worded) + (refers && !alreadyThere ? ` (this is about: ${subject})` : '');
}

const QUESTION =
  /^(?:what|how|why|when|where|who|which|is|are|do|does|did|can|could|should|would|will)\b.*\?$/is;

function namesPattern(team: readonly Teammate[]): string {
  const one = `@?(?:${team.map((mate) => mate.name).join('|') || '(?!)'})(?![\\w-])`;
  const many = `${one}(?:(?:\\s*,\\s*(?:and\\s+)?|\\s+and\\s+|\\s*&\\s*)${one})*`;
  return `(?<names>${many}|(?:the\\s+)?(?:team|others|everyone|everybody)\\b)`;
}

function recipientsIn(names: string, team: readonly Teammate[]): Teammate[] {
  if (/\b(?:team|others|everyone|everybody)$/i.test(names)) return [...team];
  const listed = new Set(names.toLowerCase().match(/[\w-]+/g));
  return team.filter((mate) => listed.has(mate.name.toLowerCase()));
}
