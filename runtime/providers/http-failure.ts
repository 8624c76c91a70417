import { messageOf, systemCodeOf } from '#shared/errors';
import { ProviderError, type ProviderErrorCode } from './provider.ts';

/** What a provider said when it refused. */
export interface HttpRefusal {
  /** The provider's name, for the message. */
  provider: string;
  status: number;
  /** The provider's own words. They stay in the local message and never cross the wire. */
  text: string;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/** Longest piece of a provider's own text that ends up in an error message. */
const MAX_TEXT = 200;

const PROMPT_TOO_LONG =
  /prompt is too long|context (window|length|limit|size)|too many (input )?tokens|input (length|is too long)/i;

/** The error for an HTTP status (runtime spec §9.3). */
export function failureOfStatus(refusal: HttpRefusal): ProviderError {
  const { code, retryable, meaning } = verdictOf(refusal.status, refusal.text);
  const said = refusal.text.trim().slice(0, MAX_TEXT);
  return new ProviderError(
    code,
    `${refusal.provider}: ${meaning} (HTTP ${refusal.status})${said && `: ${said}`}`,
    { retryable, retryAfterMs: refusal.retryAfterMs, cause: refusal.cause },
  );
}

/** The error for a request that never got an answer, or lost it half-way. */
export function failureOfConnection(provider: string, thrown: unknown): ProviderError {
  const root = rootCause(thrown);
  const reason = systemCodeOf(root) ?? messageOf(root);
  return new ProviderError('provider', `${provider}: the connection failed: ${reason}`, {
    retryable: true,
    cause: thrown,
  });
}

/** The error for an answer that stops before its end or cannot be read. */
export function failureOfStream(
  provider: string,
  what: 'cut' | 'malformed',
  cause?: unknown,
): ProviderError {
  const message =
    what === 'cut' ? 'the answer was cut off' : 'the answer holds something that is not JSON';
  return new ProviderError('provider', `${provider}: ${message}`, { retryable: true, cause });
}

/** Whether a refusal means that the conversation no longer fits the model. */
export function saysPromptTooLong(text: string): boolean {
  return PROMPT_TOO_LONG.test(text);
}

/** `retry-after` in milliseconds: delta seconds, or an HTTP date measured from `nowMs`. */
export function parseRetryAfter(headers: Headers | undefined, nowMs: number): number | undefined {
  const value = headers?.get('retry-after')?.trim();
  if (!value) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

interface Verdict {
  code: ProviderErrorCode;
  retryable: boolean;
  meaning: string;
}

function verdictOf(status: number, text: string): Verdict {
  if (status === 401 || status === 403) {
    return { code: 'auth', retryable: false, meaning: 'the credential was refused' };
  }
  if (status === 429 || status === 529) {
    return { code: 'rate_limit', retryable: true, meaning: 'too many requests' };
  }
  if (status === 408 || status === 504) {
    return { code: 'timeout', retryable: true, meaning: 'the provider timed out' };
  }
  if (status === 400 && saysPromptTooLong(text)) {
    return { code: 'context_window', retryable: false, meaning: 'the prompt is too long' };
  }
  const theirs = status >= 500;
  const meaning = theirs ? 'the provider failed' : 'the request was refused';
  return { code: 'provider', retryable: theirs, meaning };
}

/** `fetch failed` says nothing; what happened is at the end of the chain of causes. */
function rootCause(thrown: unknown): unknown {
  let current = thrown;
  for (let depth = 0; depth < 5; depth++) {
    if (!(current instanceof Error) || current.cause === undefined) break;
    current = current.cause;
  }
  return current;
}
