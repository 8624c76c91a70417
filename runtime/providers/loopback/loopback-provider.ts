import type { Delta, Message, Provider, ProviderRequest } from '../provider.ts';
import { parseIncoming } from './incoming.ts';
import { LOOPBACK_NOTE, writeReply } from './reply.ts';
import { parseSelf } from './self.ts';

/** An answer is streamed in at most this many pieces. */
const MAX_PIECES = 6;
/** Rough, and the same for every text: nothing is billed by it. */
const CHARS_PER_TOKEN = 4;

/**
 * Answers without a language model, by rules alone: same request, same answer. It lets a fresh
 * checkout show a working team, and says so once in each conversation.
 *
 * An answer without any text means that the aspect stays silent.
 */
export class LoopbackProvider implements Provider {
  readonly name = 'loopback';
  readonly defaultModel = 'loopback';

  async *stream(request: ProviderRequest): AsyncGenerator<Delta, void, undefined> {
    request.signal.throwIfAborted();
    const full = answer(request);
    const text = full.slice(0, (request.maxTokens ?? Infinity) * CHARS_PER_TOKEN);
    for (const piece of piecesOf(text)) {
      yield { type: 'text', text: piece };
      request.signal.throwIfAborted();
    }
    yield {
      type: 'done',
      stopReason: text.length < full.length ? 'max_tokens' : 'end_turn',
      usage: {
        tokens: {
          in: tokensIn([request.system, ...request.messages.map(textOf)].join('\n')),
          out: tokensIn(text),
          cacheHit: 0,
          cacheFill: 0,
        },
      },
      model: this.defaultModel,
    };
  }
}

function answer({ system, messages }: ProviderRequest): string {
  const heard = messages
    .filter((message) => message.role === 'user')
    .flatMap((message) => message.content)
    .map((block) => parseIncoming(block.text));
  const incoming = heard.pop();
  if (!incoming) return '';
  const said = messages.filter((message) => message.role === 'assistant').map(textOf);
  return writeReply({
    self: parseSelf(system),
    incoming,
    before: heard.findLast((earlier) => earlier.content !== '')?.content,
    disclosed: said.some((text) => text.includes(LOOPBACK_NOTE)),
  });
}

function textOf(message: Message): string {
  return message.content.map((block) => block.text).join('\n');
}

function tokensIn(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

/** Cuts between words, into a few pieces of similar length. */
function piecesOf(text: string): string[] {
  const words = text.match(/\S+\s*|\s+/g) ?? [];
  const size = Math.ceil(words.length / MAX_PIECES);
  const pieces: string[] = [];
  for (let i = 0; i < words.length; i += size) pieces.push(words.slice(i, i + size).join(''));
  return pieces;
}
