import type { Block, Message } from '../providers/provider.ts';
import type { Entry } from './entry.ts';

/** What a provider is given of a conversation. */
export interface ModelContext {
  system: string;
  /** Alternates, starting with the user. Ends with the user when the path does. */
  messages: Message[];
}

/**
 * Builds the model's view of a path (runtime spec §10.2): the latest system prompt, and the turns
 * as messages. Neighbours of the same role become one message. A failed turn that said nothing is
 * left out, and so is what an assistant said before any user did.
 */
export function buildContext(path: readonly Entry[]): ModelContext {
  const system = path.findLast((entry) => entry.kind === 'system.prompt')?.payload.text ?? '';
  const messages: { role: Message['role']; content: Block[] }[] = [];
  for (const entry of path) {
    const message = messageFrom(entry);
    if (!message || message.content.length === 0) continue;
    const last = messages.at(-1);
    if (last?.role === message.role) last.content.push(...message.content);
    else if (last || message.role === 'user') messages.push(message);
  }
  return { system, messages };
}

function messageFrom(entry: Entry): { role: Message['role']; content: Block[] } | undefined {
  switch (entry.kind) {
    case 'turn.user':
      return { role: 'user', content: blocksOf(entry.payload) };
    case 'turn.assistant': {
      const { stopReason, text } = entry.payload;
      if (stopReason === 'error' && text === '') return undefined;
      return { role: 'assistant', content: blocksOf(entry.payload) };
    }
    case 'note':
      return { role: 'user', content: blocksOf({ content: [], text: entry.payload.text }) };
    default:
      return undefined;
  }
}

/** A fresh array. Empty texts go, because providers refuse them. */
function blocksOf({ content, text }: { content: readonly Block[]; text: string }): Block[] {
  const blocks: readonly Block[] = content.length > 0 ? content : [{ type: 'text', text }];
  return blocks.filter((block) => block.type !== 'text' || block.text !== '');
}
