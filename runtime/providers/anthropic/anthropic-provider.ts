import { Anthropic } from '@anthropic-ai/sdk';
import { type Clock, systemClock } from '#shared/sys/clock';
import { HttpExchange, STALL_MS } from '../http-exchange.ts';
import { failureOfStream } from '../http-failure.ts';
import type { Delta, Provider, ProviderRequest } from '../provider.ts';
import { toTurns } from '../turns.ts';
import { AnswerReader } from './answer-reader.ts';
import { failureOf } from './anthropic-failure.ts';

export const DEFAULT_ANTHROPIC_MODEL = 'claude-opus-5-5';
/** Roomy, because current models think before they answer and that counts as output. */
export const DEFAULT_ANTHROPIC_MAX_TOKENS = 16_000;
export const DEFAULT_ANTHROPIC_URL = 'https://api.anthropic.com';

export interface AnthropicOptions {
  apiKey: string;
  baseUrl?: string | undefined;
  model?: string | undefined;
  maxTokens?: number | undefined;
  /** Longest silence of the server before the call fails with `timeout`. */
  stallMs?: number | undefined;
  clock?: Clock | undefined;
}

/** Claude through the Messages API. Everything it needs is passed in; it reads no environment. */
export class AnthropicProvider implements Provider {
  readonly name = 'anthropic';
  readonly defaultModel: string;
  readonly #options: AnthropicOptions;
  readonly #clock: Clock;

  constructor(options: AnthropicOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.defaultModel = modelId(options.model ?? DEFAULT_ANTHROPIC_MODEL);
  }

  async *stream(request: ProviderRequest): AsyncGenerator<Delta, void, undefined> {
    request.signal.throwIfAborted();
    const stallMs = this.#options.stallMs ?? STALL_MS;
    const exchange = new HttpExchange({
      signal: request.signal,
      clock: this.#clock,
      stallMs,
      firstByteMs: stallMs,
    });
    try {
      yield* this.#answer(request, exchange);
    } catch (thrown) {
      // The SDK has several ways to report an abort; the exchange knows why it ended.
      exchange.signal.throwIfAborted();
      throw failureOf(thrown, this.#clock.now());
    } finally {
      exchange.close();
    }
  }

  async *#answer(
    request: ProviderRequest,
    exchange: HttpExchange,
  ): AsyncGenerator<Delta, void, undefined> {
    const { signal } = exchange;
    const model = request.model === undefined ? this.defaultModel : modelId(request.model);
    const events = await this.#client(exchange).messages.create(
      {
        model,
        max_tokens: request.maxTokens ?? this.#options.maxTokens ?? DEFAULT_ANTHROPIC_MAX_TOKENS,
        ...(request.system.trim() !== '' && { system: [textBlock(request.system)] }),
        messages: toTurns(request.messages).map(({ role, texts }) => ({
          role,
          content: texts.map(textBlock),
        })),
        stream: true,
      },
      { signal },
    );
    const reader = new AnswerReader(model);
    for await (const event of events) {
      signal.throwIfAborted();
      const text = reader.read(event);
      if (text !== '') yield { type: 'text', text };
      if (reader.finished) {
        yield reader.done();
        return;
      }
    }
    signal.throwIfAborted();
    throw failureOfStream(this.name, 'cut');
  }

  /** One client per call: it costs nothing, and its `fetch` belongs to one exchange only. */
  #client(exchange: HttpExchange): Anthropic {
    return new Anthropic({
      apiKey: this.#options.apiKey,
      baseURL: this.#options.baseUrl ?? DEFAULT_ANTHROPIC_URL,
      maxRetries: 0,
      fetch: exchange.fetch,
      // The SDK would print to stdout, which belongs to results. Failures reach our own log.
      logLevel: 'off',
    });
  }
}

function textBlock(text: string): { type: 'text'; text: string } {
  return { type: 'text', text };
}

/** `[1m]` is a habit of command lines. It is no part of a model's id (runtime spec §9.5). */
function modelId(model: string): string {
  return model.replace(/\[1m\]$/i, '').trim();
}
