import { type Clock, sleep } from '#shared/sys/clock';
import {
  type Delta,
  type Provider,
  ProviderError,
  type ProviderErrorCode,
  type ProviderRequest,
} from './provider.ts';

/** How often each failure is tried again (runtime spec §9.3). Compacting is the caller's part. */
const RETRIES: Readonly<Record<ProviderErrorCode, number>> = {
  rate_limit: 3,
  provider: 3,
  timeout: 1,
  auth: 0,
  context_window: 0,
  unsupported: 0,
};

/** Retries of one call, whatever the mix of failures. */
const MAX_RETRIES = 3;
/** First wait when the provider names none; it doubles each time: 2 s, 4 s, 8 s. */
const FIRST_WAIT_MS = 2000;
/** Waits of our own choosing grow by up to this share, so that aspects do not retry in step. */
const JITTER = 0.25;

/** A retry that is about to happen. Becomes `provider.retry` on the wire. */
export interface RetryNotice {
  /** 1 for the first retry. */
  retry: number;
  delayMs: number;
  error: ProviderError;
}

export interface RetryOptions {
  clock: Clock;
  /** Called before each wait. */
  onRetry?: ((notice: RetryNotice) => void) | undefined;
  /** On `clock.monotonic()`. A wait that would end at or after it is not begun. */
  deadlineMs?: number | undefined;
  /** From 0 to below 1. */
  random?: (() => number) | undefined;
}

/**
 * Like `Delta`, but an answer that broke off after some text ends with `stopReason: 'error'` and
 * says why in `error`.
 */
export type AnswerDelta =
  | Extract<Delta, { type: 'text' }>
  | (Extract<Delta, { type: 'done' }> & { error?: ProviderError });

/**
 * Streams one answer, trying again while that can help and nothing was said yet.
 *
 * - A failure before the first text is retried, or thrown as the `ProviderError` it is.
 * - A failure after some text is never retried, because the text has been seen. The stream then
 *   finishes in the ordinary way: a `done` with `stopReason: 'error'`, the failure in `error`, and
 *   zero usage (the provider reported none). The caller keeps the texts it got as a partial answer.
 * - An abort throws the signal's reason, during a wait too.
 */
export async function* streamWithRetry(
  provider: Provider,
  request: ProviderRequest,
  options: RetryOptions,
): AsyncGenerator<AnswerDelta, void, undefined> {
  const schedule = new RetrySchedule(options);
  for (;;) {
    let begun = false;
    try {
      for await (const delta of provider.stream(request)) {
        if (delta.type === 'text') {
          if (delta.text === '') continue;
          begun = true;
        }
        yield delta;
      }
      return;
    } catch (thrown) {
      request.signal.throwIfAborted();
      if (!(thrown instanceof ProviderError)) throw thrown;
      if (begun) {
        yield brokenOff(thrown, request.model ?? provider.defaultModel);
        return;
      }
      const delayMs = schedule.next(thrown);
      if (delayMs === undefined) throw thrown;
      options.onRetry?.({ retry: schedule.retries, delayMs, error: thrown });
      await sleep(options.clock, delayMs, request.signal);
    }
  }
}

/** Decides whether and when to try again. Keeps count; waits for nothing. */
class RetrySchedule {
  readonly #options: RetryOptions;
  readonly #perCode = new Map<ProviderErrorCode, number>();
  #retries = 0;

  constructor(options: RetryOptions) {
    this.#options = options;
  }

  get retries(): number {
    return this.#retries;
  }

  /** How long to wait before the next attempt, or undefined when there is none. */
  next(error: ProviderError): number | undefined {
    const sameBefore = this.#perCode.get(error.code) ?? 0;
    if (!error.retryable || sameBefore >= RETRIES[error.code]) return undefined;
    if (this.#retries >= MAX_RETRIES) return undefined;
    const delayMs = error.retryAfterMs ?? this.#ownDelay();
    const { clock, deadlineMs } = this.#options;
    if (deadlineMs !== undefined && clock.monotonic() + delayMs >= deadlineMs) return undefined;
    this.#perCode.set(error.code, sameBefore + 1);
    this.#retries += 1;
    return delayMs;
  }

  #ownDelay(): number {
    const random = this.#options.random ?? Math.random;
    return Math.round(FIRST_WAIT_MS * 2 ** this.#retries * (1 + JITTER * random()));
  }
}

function brokenOff(error: ProviderError, model: string): AnswerDelta {
  const usage = { tokens: { in: 0, out: 0, cacheHit: 0, cacheFill: 0 } };
  return { type: 'done', stopReason: 'error', usage, model, error };
}
