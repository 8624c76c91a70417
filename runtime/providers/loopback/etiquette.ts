import { type Incoming, OPERATOR } from './incoming.ts';
import { isAsk } from './intent.ts';
import { calls, mentionsIn, splitAddress } from './mentions.ts';
import type { Self } from './self.ts';

/** No rule looks further into a message than this. */
const MAX_HEARD = 4000;

/**
 * What a message says to us on one line, or undefined when it is not ours to answer.
 *
 * The operator is answered unless the message is addressed to others only. An aspect is answered
 * only when it calls us and asks something. Together with the rule that an answer to an aspect
 * calls nobody, this ends every conversation between loopback aspects.
 */
export function heardBy(self: Self, { from, content }: Incoming): string | undefined {
  const heard = from === OPERATOR ? fromOperator(self, content) : fromAspect(self, content);
  return heard?.replace(/\s+/g, ' ').slice(0, MAX_HEARD);
}

function fromOperator(self: Self, content: string): string | undefined {
  const { addressed, rest } = splitAddress(content, namesKnownTo(self));
  const me = self.name.toLowerCase();
  // "@keel ask @anvil to …" is keel's to pass on; anvil hears of it from keel.
  const forOthers = addressed.length > 0 && !addressed.includes(me) && !addressed.includes('all');
  return forOthers ? undefined : rest;
}

function fromAspect(self: Self, content: string): string | undefined {
  for (const line of content.split('\n')) {
    const { addressed, rest } = splitAddress(line, namesKnownTo(self));
    const me = self.name.toLowerCase();
    if (addressed.includes(me) || addressed.includes('all')) return isAsk(rest) ? rest : undefined;
    if (!calls(line, self.name)) continue;
    const ask = sentencesOf(line).find((part) => calls(part, self.name) && asksInPassing(part));
    if (ask) return withoutOwnName(ask, self);
  }
  return undefined;
}

/** A name in the middle of a sentence is often just talk; a question or a "please" is not. */
function asksInPassing(part: string): boolean {
  return part.includes('?') || /\b(?:please|(?:can|could|would|will) you)\b/i.test(part);
}

function sentencesOf(line: string): string[] {
  return line.match(/[^.!?]+[.!?]*/g) ?? [];
}

function withoutOwnName(text: string, self: Self): string {
  const own = new Set([self.name.toLowerCase(), 'all']);
  const names = mentionsIn(text).filter((name) => own.has(name));
  return names
    .reduce((rest, name) => rest.replace(new RegExp(`@${name}\\b[,:]?\\s*`, 'i'), ''), text)
    .trim();
}

function namesKnownTo(self: Self): string[] {
  return [self, ...self.team].map((mate) => mate.name.toLowerCase());
}
