import { splitAddress } from './mentions.ts';
import { excerpt } from './wording.ts';

/** What a message wants from the one who reads it. */
export type Intent =
  | { kind: 'greeting' }
  | { kind: 'thanks' }
  | { kind: 'identity' }
  | { kind: 'team' }
  | { kind: 'opinion'; topic: string; review: boolean }
  | { kind: 'question'; text: string }
  | { kind: 'request'; text: string }
  | { kind: 'statement'; text: string };

const GREETING =
  /^(?:hi|hello|hey|howdy|hiya|yo|greetings|good (?:morning|afternoon|evening|day))\b(?:\s+(?:there|all|team|everyone|everybody|folks|again))*[\s,.!]*/i;
const ACKNOWLEDGED =
  /^(?:many )?(?:thanks|thank you|thx|cheers|ok|okay|great|nice|perfect|cool|got it|noted|done|agreed|understood|sounds good)\b[^?]{0,40}$/i;
const IDENTITY =
  /\b(?:who are you|what (?:do|can) you do\b|what are you(?=\s*[?.!]|$)|introduce yourself|about yourself|describe yourself|what(?:'s| is) your (?:role|job|name|task))/i;
const TEAM =
  /\b(?:who (?:else )?(?:is|are) (?:on |in )?(?:the|your|this|our) team|who else is (?:here|there)|who do you work with)/i;
const VIEW =
  /\b(?:what (?:do|would) you (?:think|say) (?:of|about|to)|what(?:'s| is| are) your (?:view|opinion|take|thoughts) (?:of|on|about)|(?:any )?thoughts (?:on|about)|your (?:view|opinion|take|thoughts) (?:on|of|about)|how do you (?:feel about|like|see))\s+(.+)$/is;
const VIEW_ON_THIS = /\b(?:what do you think|any thoughts|your (?:view|opinion|take))\s*[?.!]*$/i;
const REVIEW =
  /^(?:and |then )?(?:review|critique|assess|evaluate|judge|proofread|give feedback on|comment on)\s+(.+)$/is;
const POLITE =
  /^(?:(?:please|kindly|can you|could you|would you|will you|i(?: would|'d) like you to|i (?:want|need) you to|let's)\s*,?\s+)+/i;
const QUESTION_WORD =
  /^(?:what|how|why|when|where|who|which|is|are|do|does|did|can|could|should|would|will)\b/i;
const STATEMENT =
  /^(?:i|i'm|i've|we|we're|we've|it|it's|that|that's|this|the|there|there's|he|she|they|you're|my|our|yes|yep|yeah|no|nope|sure|fyi|sorry|welcome)\b/i;

/** Sorts a text addressed to `self`. `before` is what a bare "this" refers to. */
export function intentOf(text: string, self: { name: string }, before?: string): Intent {
  const rest = withoutGreeting(text.trim(), self.name);
  if (rest === '') return { kind: 'greeting' };
  if (IDENTITY.test(rest)) return { kind: 'identity' };
  if (TEAM.test(rest)) return { kind: 'team' };
  const viewOn = VIEW.exec(rest)?.[1] ?? (VIEW_ON_THIS.test(rest) ? 'this' : undefined);
  if (viewOn) return { kind: 'opinion', topic: topicOf(viewOn, before), review: false };
  const plain = rest.replace(POLITE, '');
  const reviewOf = REVIEW.exec(plain)?.[1];
  if (reviewOf) return { kind: 'opinion', topic: topicOf(reviewOf, before), review: true };
  if (ACKNOWLEDGED.test(rest)) return { kind: 'thanks' };
  return { kind: kindOfSentence(rest, plain), text: plain };
}

/** Whether a text asks for something, rather than tells something. */
export function isAsk(text: string): boolean {
  const rest = text.trim();
  if (!/[\p{L}\p{N}]/u.test(rest)) return false;
  if (rest.includes('?')) return true;
  return ![GREETING, ACKNOWLEDGED, STATEMENT].some((pattern) => pattern.test(rest));
}

/** Whether a text only points at something said elsewhere. */
export function isVague(text: string): boolean {
  return /^(?:this|that|it|them|these|those)?[\s.!?]*$/i.test(text.trim());
}

/** "Can you build it?" is a request although it ends like a question. */
function kindOfSentence(text: string, plain: string): 'question' | 'request' | 'statement' {
  if (QUESTION_WORD.test(plain)) return 'question';
  if (plain !== text) return 'request';
  if (text.includes('?')) return 'question';
  return STATEMENT.test(text) ? 'statement' : 'request';
}

function withoutGreeting(text: string, name: string): string {
  const greeted = GREETING.exec(text);
  if (!greeted) return text;
  const rest = text.slice(greeted[0].length);
  // Whoever is greeted by one word, it was only a greeting.
  if (/^@?[\w-]*[\s.!?,]*$/.test(rest)) return '';
  return splitAddress(rest, [name.toLowerCase()]).rest;
}

function topicOf(text: string, before: string | undefined): string {
  const topic = excerpt(text.replace(/[,.]?\s*please[.!?]*$/i, ''));
  return isVague(topic) && before !== undefined ? `this: ${excerpt(before, 80)}` : topic;
}
