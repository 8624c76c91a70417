import { NexusError } from '#shared/errors';

/** One piece of a message. The session tree stores exactly these. */
export type Block = { type: 'text'; text: string };

/** One message of the conversation that a provider is asked to continue. */
export interface Message {
  role: 'user' | 'assistant';
  content: readonly Block[];
}

/** What one call used. `cacheHit` was read from a prompt cache, `cacheFill` written to one. */
export interface Usage {
  tokens: { in: number; out: number; cacheHit: number; cacheFill: number };
}

/** Why a model stopped (runtime spec §9.1). */
export type StopReason =
  | 'end_turn'
  | 'max_tokens'
  | 'stop_sequence'
  | 'tool_use'
  | 'pause'
  | 'refusal'
  | 'error';

/** What a provider is asked for. Messages alternate roles and end with a user message. */
export interface ProviderRequest {
  system: string;
  messages: readonly Message[];
  /** The model's name, or undefined for the provider's own default. */
  model?: string;
  /** Upper bound of the answer, in tokens. */
  maxTokens?: number;
  signal: AbortSignal;
}

/** What a stream yields: any number of texts, then exactly one `done`. */
export type Delta =
  | { type: 'text'; text: string }
  | { type: 'done'; stopReason: StopReason; usage: Usage; model: string };

/** A language model. `stream` is the primitive; everything else is built on it. */
export interface Provider {
  /** The name that `aspect.json` uses, such as `anthropic`. */
  readonly name: string;
  /** The model used when a request names none. */
  readonly defaultModel: string;
  /**
   * Streams one answer. Throws `ProviderError` before or between deltas; after the signal
   * aborts it throws the signal's reason and leaves no connection open.
   */
  stream(request: ProviderRequest): AsyncIterable<Delta>;
}

/** Runtime spec §9.3. Only these codes cross the wire, never a provider's own text. */
export type ProviderErrorCode =
  | 'auth'
  | 'rate_limit'
  | 'context_window'
  | 'timeout'
  | 'provider'
  | 'unsupported';

/** A provider refused or failed. */
export class ProviderError extends NexusError<ProviderErrorCode> {
  /** True when trying the same request again may help. */
  readonly retryable: boolean;
  /** How long the provider asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ProviderErrorCode,
    message: string,
    options: ErrorOptions & { retryable: boolean; retryAfterMs?: number | undefined },
  ) {
    super(code, message, options);
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
  }
}
