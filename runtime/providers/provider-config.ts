import { ProviderError } from './provider.ts';

/** What may be set per aspect. Everything has a default. */
export interface ProviderConfig {
  model?: string;
  baseUrl?: string;
  maxTokens?: number;
  /** Longest silence of a provider. */
  stallMs?: number;
}

/**
 * Reads `provider_config` of `aspect.json`: `model`, `base_url`, `max_tokens`, `stall_s`. Other keys
 * are left alone. Throws `ProviderError` `unsupported` on a wrong type.
 */
export function parseProviderConfig(raw: Readonly<Record<string, unknown>> = {}): ProviderConfig {
  const model = text(raw, 'model');
  const baseUrl = text(raw, 'base_url');
  const maxTokens = positive(raw, 'max_tokens');
  const stallS = positive(raw, 'stall_s');
  return {
    ...(model !== undefined && { model }),
    ...(baseUrl !== undefined && { baseUrl }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(stallS !== undefined && { stallMs: stallS * 1000 }),
  };
}

/** A blank string counts as unset, because the setup forms write one. */
function text(raw: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = raw[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw wrong(key, 'a string');
  return value.trim() || undefined;
}

function positive(raw: Readonly<Record<string, unknown>>, key: string): number | undefined {
  const value = raw[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !(value > 0) || !Number.isFinite(value)) {
    throw wrong(key, 'a number above 0');
  }
  return value;
}

function wrong(key: string, expected: string): ProviderError {
  return new ProviderError('unsupported', `provider_config.${key} must be ${expected}`, {
    retryable: false,
  });
}
