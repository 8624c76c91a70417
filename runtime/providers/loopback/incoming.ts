/** The person at the dashboard. Every other sender is an aspect. */
export const OPERATOR = 'operator';

/** A chat message as the runtime shows it to a provider. */
export interface Incoming {
  from: string;
  content: string;
}

const HEADER = /^\[message \d+ from (\S+)(?: in thread \d+)?\][ \t]*(?:\r?\n|$)/;

/** Reads `[message 41 from operator in thread 41]\n<content>`. Without a header the operator spoke. */
export function parseIncoming(text: string): Incoming {
  const header = HEADER.exec(text);
  if (!header) return { from: OPERATOR, content: text.trim() };
  return { from: header[1] ?? OPERATOR, content: text.slice(header[0].length).trim() };
}
