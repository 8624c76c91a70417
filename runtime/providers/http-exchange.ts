import type { Clock } from '#shared/sys/clock';
import { ProviderError } from './provider.ts';

/** How long a stream may stay silent before it counts as stalled (runtime spec §9.2). */
export const STALL_MS = 60_000;

export interface ExchangeOptions {
  /** Ends the exchange when it aborts. */
  signal: AbortSignal;
  clock: Clock;
  /** Longest silence between two pieces of the answer. */
  stallMs: number;
  /** Longest wait for the first byte of the answer. */
  firstByteMs: number;
}

/**
 * One HTTP request to a provider and its answer: ended by the caller's signal, by silence, or by
 * `close`. An SDK does the talking; it gets `fetch` and `signal` from here.
 *
 * Only time spent waiting for bytes counts as silence, so a slow reader never looks like a stall.
 */
export class HttpExchange {
  /** Aborts when the exchange ends early. Its reason is the caller's, or a `timeout` error. */
  readonly signal: AbortSignal;
  readonly #clock: Clock;
  readonly #stallMs: number;
  readonly #firstByteMs: number;
  readonly #own = new AbortController();

  constructor(options: ExchangeOptions) {
    this.signal = AbortSignal.any([options.signal, this.#own.signal]);
    this.#clock = options.clock;
    this.#stallMs = options.stallMs;
    this.#firstByteMs = options.firstByteMs;
  }

  /** The global `fetch`, tied to this exchange and watched for silence. */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const signal = init?.signal ? AbortSignal.any([this.signal, init.signal]) : this.signal;
    const response = await this.#awaitBytes(this.#firstByteMs, () =>
      fetch(input, { ...init, signal }),
    );
    return response.body ? new Response(this.#watched(response.body), response) : response;
  };

  /** Ends the HTTP request if it is still open. Safe to call twice. */
  close(): void {
    this.#own.abort();
  }

  #watched(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } = await this.#awaitBytes(this.#stallMs, () => reader.read());
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: (reason) => reader.cancel(reason),
      },
      // Nothing is read ahead: a read, and with it the stall timer, starts when someone wants it.
      { highWaterMark: 0 },
    );
  }

  async #awaitBytes<T>(limitMs: number, wait: () => Promise<T>): Promise<T> {
    const cancelTimer = this.#clock.after(limitMs, () => this.#own.abort(stalled(limitMs)));
    try {
      return await wait();
    } finally {
      cancelTimer();
    }
  }
}

function stalled(limitMs: number): ProviderError {
  const seconds = Math.round(limitMs / 100) / 10;
  return new ProviderError('timeout', `the provider sent nothing for ${seconds} s`, {
    retryable: true,
  });
}
