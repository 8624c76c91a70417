import { APIConnectionError, APIConnectionTimeoutError, APIError } from '@anthropic-ai/sdk';
import {
  failureOfConnection,
  failureOfStatus,
  failureOfStream,
  parseRetryAfter,
} from '../http-failure.ts';
import { ProviderError } from '../provider.ts';

const PROVIDER = 'anthropic';

/** The status that each kind of `error` event would have had as an HTTP answer. */
const STATUS_OF_TYPE: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

/** What an error of the SDK means to us. `nowMs` is wall-clock time, for `retry-after` dates. */
export function failureOf(thrown: unknown, nowMs: number): ProviderError {
  if (thrown instanceof ProviderError) return thrown;
  if (thrown instanceof APIConnectionTimeoutError) {
    return new ProviderError('timeout', `${PROVIDER}: no answer in time`, {
      retryable: true,
      cause: thrown,
    });
  }
  if (thrown instanceof APIError && !(thrown instanceof APIConnectionError)) {
    return failureOfStatus({
      provider: PROVIDER,
      status: thrown.status ?? STATUS_OF_TYPE[thrown.type ?? ''] ?? 500,
      text: thrown.apiMessage ?? thrown.message,
      retryAfterMs: parseRetryAfter(thrown.headers, nowMs),
      cause: thrown,
    });
  }
  if (thrown instanceof SyntaxError) return failureOfStream(PROVIDER, 'malformed', thrown);
  return failureOfConnection(PROVIDER, thrown);
}
