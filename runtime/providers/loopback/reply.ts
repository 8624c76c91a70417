import { heardBy } from './etiquette.ts';
import { asAsk, findHandOn, type HandOn, mentionLine } from './hand-on.ts';
import { type Incoming, OPERATOR } from './incoming.ts';
import { type Intent, intentOf } from './intent.ts';
import { calls, withoutMentions } from './mentions.ts';
import { relevantTo } from './principles.ts';
import type { Self, Teammate } from './self.ts';
import { findFitting, isCoordinator, perspectiveOf } from './trades.ts';
import { excerpt, fromHere, listOf, lowerFirst, sentence } from './wording.ts';

/** Said at most once in a conversation. */
export const LOOPBACK_NOTE = '(I run on the built-in loopback provider, without a language model.)';

export interface Situation {
  self: Self;
  incoming: Incoming;
  /** The message before this one, which a bare "this" refers to. */
  before?: string | undefined;
  /** True when an earlier answer carried the note. */
  disclosed: boolean;
}

/** Writes the answer. Empty when the aspect should stay silent. */
export function writeReply({ self, incoming, before, disclosed }: Situation): string {
  const heard = heardBy(self, incoming);
  if (heard === undefined) return '';
  const note = disclosed ? [] : [LOOPBACK_NOTE];
  return [...answer(self, incoming, heard, before), ...note].join('\n\n');
}

/** An aspect never gets a line with a mention, so that answers to it call nobody. */
function answer(self: Self, incoming: Incoming, heard: string, before?: string): string[] {
  const intent = intentOf(heard, self, before);
  const toOperator = incoming.from === OPERATOR;
  const told = toOperator ? findHandOn(heard, self, before) : undefined;
  if (told) return [`I pass this on to ${naming(told.to)}, as you ask.`, ...callingLines(told)];
  const chosen = toOperator && isCoordinator(self) ? chooseMate(self, intent, incoming) : undefined;
  if (!chosen) return [withoutMentions(answerTo(self, intent))];
  return [`This is closest to ${naming(chosen.to)}, so I pass it on.`, ...callingLines(chosen)];
}

/** What a coordinator gives away: work and questions, but not what is asked of it in person. */
function chooseMate(self: Self, intent: Intent, incoming: Incoming): HandOn | undefined {
  const matter = generalMatter(intent);
  const mate = matter && findFitting(self, matter.text, matter.form);
  // Whoever was called in the same message has it already.
  if (!mate || calls(incoming.content, mate.name)) return undefined;
  return { to: [mate], request: asAsk(matter.text) };
}

function generalMatter(
  intent: Intent,
): { text: string; form: 'question' | 'request' | 'statement' } | undefined {
  switch (intent.kind) {
    case 'opinion':
      return intent.review ? { text: `review ${intent.topic}`, form: 'request' } : undefined;
    case 'question':
    case 'request':
    case 'statement':
      return { text: intent.text, form: intent.kind };
    default:
      return undefined;
  }
}

function callingLines({ to, request }: HandOn): string[] {
  return to.map((mate) => mentionLine(mate, request));
}

function naming(mates: readonly Teammate[]): string {
  return listOf(mates.map(({ name, role }) => (role ? `${name} (${role})` : name)));
}

function answerTo(self: Self, intent: Intent): string {
  switch (intent.kind) {
    case 'greeting':
      return `Hello. I am ${self.name}, ${self.role} of this team. ${offer(self)}`;
    case 'thanks':
      return 'Good. I am here when there is more to do.';
    case 'identity':
      return describeSelf(self);
    case 'team':
      return describeTeam(self);
    case 'opinion':
      return giveView(self, intent.topic);
    case 'question':
      return `You ask: ${lowerFirst(excerpt(intent.text))}? ${plan(self, intent.text)}`;
    case 'request':
      return `You would like me to ${lowerFirst(excerpt(fromHere(intent.text)))}. ${plan(self, intent.text)}`;
    case 'statement':
      return `I take it that ${lowerFirst(excerpt(fromHere(intent.text)))}. ${plan(self, intent.text)}`;
  }
}

/** Its documents usually name it; when they do not, this does. */
function describeSelf(self: Self): string {
  const named = new RegExp(`^I am ${self.name}\\b`, 'i').test(self.about);
  const about = sentence(self.about);
  return named ? about : `I am ${self.name}, ${self.role} of this team. ${about}`;
}

function offer(self: Self): string {
  const [mate] = self.team;
  const passing = mate ? `, or to pass something on to ${mate.name}` : '';
  return `Ask me what I do, what I think of something${passing}.`;
}

function describeTeam(self: Self): string {
  if (self.team.length === 0) return `I am ${self.name} (${self.role}), and I know of nobody else.`;
  return `I am ${self.name} (${self.role}), and I work with ${naming(self.team)}.`;
}

function giveView(self: Self, topic: string): string {
  const [first, second] = relevantTo(self.principles, topic);
  const held = first ? `What I hold to here: ${sentence(first)}` : sentence(self.about);
  const also = second ? ` Also: ${sentence(second)}` : '';
  return `About ${topic}, as ${self.role} of this team: ${perspectiveOf(self.role)} ${held}${also}`;
}

function plan(self: Self, matter: string): string {
  const steps = relevantTo(self.principles, matter).map((step) => `- ${sentence(step)}`);
  const how = `As ${self.role}: ${perspectiveOf(self.role)}`;
  return steps.length === 0 ? how : `${how} I would keep to this:\n${steps.join('\n')}`;
}
