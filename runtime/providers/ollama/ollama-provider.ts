import { type ChatResponse, Ollama } from 'ollama';
import { type Clock, systemClock } from '#shared/sys/clock';
import { HttpExchange, STALL_MS } from '../http-exchange.ts';
import { failureOfConnection, parseRetryAfter } from '../http-failure.ts';
import { type Delta, type Provider, ProviderError, type ProviderRequest } from '../provider.ts';
import { toTurns } from '../turns.ts';
import { guardNdjson } from './ndjson-guard.ts';
import { type AskedOf, failureOfAnswer, textOfRefusal } from './ollama-failure.ts';

/** Ollama sends nothing while it loads a model and reads the prompt, so the first byte may take. */
export const OLLAMA_FIRST_BYTE_MS = 300_000;

export interface OllamaOptions {
  /** A full URL; `ollamaUrl` makes one out of what people write. */
  baseUrl: string;
  /** An installed model. Ollama has no default of its own. */
  model: string;
  maxTokens?: number | undefined;
  /** Longest silence, also before the first byte. Unset: 60 s, and 5 minutes for the first byte. */
  stallMs?: number | undefined;
  clock?: Clock | undefined;
}

/** Local models through Ollama's chat API. */
export class OllamaProvider implements Provider {
  readonly name = 'ollama';
  readonly defaultModel: string;
  readonly #options: OllamaOptions;
  readonly #clock: Clock;

  constructor(options: OllamaOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.defaultModel = options.model;
  }

  async *stream(request: ProviderRequest): AsyncGenerator<Delta, void, undefined> {
    request.signal.throwIfAborted();
    const exchange = new HttpExchange({
      signal: request.signal,
      clock: this.#clock,
      stallMs: this.#options.stallMs ?? STALL_MS,
      firstByteMs: this.#options.stallMs ?? OLLAMA_FIRST_BYTE_MS,
    });
    try {
      yield* this.#answer(request, exchange);
    } catch (thrown) {
      exchange.signal.throwIfAborted();
      throw thrown instanceof ProviderError ? thrown : failureOfConnection(this.name, thrown);
    } finally {
      exchange.close();
    }
  }

  async *#answer(
    request: ProviderRequest,
    exchange: HttpExchange,
  ): AsyncGenerator<Delta, void, undefined> {
    const model = request.model ?? this.defaultModel;
    const maxTokens = request.maxTokens ?? this.#options.maxTokens;
    const pieces = await this.#client({ model, baseUrl: this.#options.baseUrl }, exchange).chat({
      model,
      messages: toChat(request),
      stream: true,
      ...(maxTokens !== undefined && { options: { num_predict: maxTokens } }),
    });
    for await (const piece of pieces) {
      exchange.signal.throwIfAborted();
      // Every field of a piece is optional on the wire, whatever the client's types say.
      const text = piece.message?.content ?? '';
      if (text !== '') yield { type: 'text', text };
      if (piece.done) yield doneOf(piece, model);
    }
  }

  /** One client per call, because a client's own `abort` ends all streams it has open. */
  #client(asked: AskedOf, exchange: HttpExchange): Ollama {
    const fetchAnswer: typeof fetch = async (input, init) => {
      const response = await exchange.fetch(input, init);
      // Handled here, because the client prints refusals to stdout before it reports them.
      if (!response.ok) {
        const text = await textOfRefusal(response);
        const retryAfterMs = parseRetryAfter(response.headers, this.#clock.now());
        throw failureOfAnswer({ ...asked, status: response.status, text, retryAfterMs });
      }
      const body = response.body && ReadableStream.from(guardNdjson(response.body));
      return new Response(body, response);
    };
    return new Ollama({ host: this.#options.baseUrl, fetch: fetchAnswer });
  }
}

function toChat(request: ProviderRequest): { role: string; content: string }[] {
  const system = request.system.trim() === '' ? [] : [{ role: 'system', content: request.system }];
  const turns = toTurns(request.messages);
  return [...system, ...turns.map(({ role, texts }) => ({ role, content: texts.join('\n\n') }))];
}

/** `done_reason` is missing on older servers; they only stop at the natural end. */
function doneOf(last: ChatResponse, model: string): Extract<Delta, { type: 'done' }> {
  return {
    type: 'done',
    stopReason: last.done_reason === 'length' ? 'max_tokens' : 'end_turn',
    usage: {
      tokens: {
        in: last.prompt_eval_count ?? 0,
        out: last.eval_count ?? 0,
        cacheHit: 0,
        cacheFill: 0,
      },
    },
    model: last.model ?? model,
  };
}
