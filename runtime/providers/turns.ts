import type { Message } from './provider.ts';

/** One side's uninterrupted say, as its non-blank texts. */
export interface Turn {
  role: Message['role'];
  texts: string[];
}

/**
 * The conversation as remote APIs accept it: blank texts dropped (they are refused, and an aspect
 * that stayed silent leaves some), then neighbours of one role merged.
 */
export function toTurns(messages: readonly Message[]): Turn[] {
  const turns: Turn[] = [];
  for (const { role, content } of messages) {
    const texts = content.map((block) => block.text).filter((text) => text.trim() !== '');
    if (texts.length === 0) continue;
    const last = turns.at(-1);
    if (last?.role === role) last.texts.push(...texts);
    else turns.push({ role, texts });
  }
  return turns;
}
