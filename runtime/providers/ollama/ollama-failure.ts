import { failureOfStatus, saysPromptTooLong } from '../http-failure.ts';
import { findJson, isRecord } from '../json.ts';
import { ProviderError } from '../provider.ts';

const PROVIDER = 'ollama';

/** What was asked of whom; error messages name both. */
export interface AskedOf {
  model: string;
  baseUrl: string;
}

export interface Refusal extends AskedOf {
  status: number;
  text: string;
  retryAfterMs?: number | undefined;
}

/** The error for an answer other than 200. */
export function failureOfAnswer(refusal: Refusal): ProviderError {
  const { model, baseUrl, status, text } = refusal;
  if (status === 404) {
    const message = /model/i.test(text)
      ? `ollama has no model ${model}; run: ollama pull ${model}`
      : `there is no Ollama chat API at ${baseUrl}; check OLLAMA_HOST`;
    return new ProviderError('provider', message, { retryable: false });
  }
  return failureOfStatus({ ...refusal, provider: PROVIDER });
}

/** The error for an `{"error": …}` line inside a stream that began well. */
export function failureInStream(text: string): ProviderError {
  return failureOfStatus({
    provider: PROVIDER,
    status: saysPromptTooLong(text) ? 400 : 500,
    text,
  });
}

/** Ollama's own words: `{"error": "…"}`, or whatever a proxy in between wrote. */
export async function textOfRefusal(response: Response): Promise<string> {
  const body = await response.text();
  const parsed = findJson(body);
  return isRecord(parsed) && 'error' in parsed ? String(parsed['error']) : body;
}
