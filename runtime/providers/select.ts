import type { Clock } from '#shared/sys/clock';
import { type Provider, ProviderError } from './provider.ts';
import type { ProviderConfig } from './provider-config.ts';

/** How long `auto` waits for each answer of an Ollama server that may not be there. */
export const AUTO_PROBE_MS = 300;
/** The same for an Ollama that was asked for by name. */
export const NAMED_PROBE_MS = 3000;

export interface SelectOptions {
  /** A provider's name or alias, or `auto`. Unset or blank means `auto`. */
  provider?: string | undefined;
  config?: ProviderConfig | undefined;
  /** Read for `ANTHROPIC_API_KEY`, `ANTHROPIC_BASE_URL`, `OLLAMA_URL` and `OLLAMA_HOST`. */
  env: Readonly<Record<string, string | undefined>>;
  /** The aspect's home folder, where `.credentials` may be. */
  home: string;
  clock?: Clock | undefined;
}

export interface Selection {
  provider: Provider;
  /** Why this one, for people: `ANTHROPIC_API_KEY is set`. */
  reason: string;
}

/** What choosing works with: the caller's options, with nothing left out. */
type Context = SelectOptions & { config: ProviderConfig };

const CHOICES: ReadonlyMap<string, (context: Context) => Promise<Selection>> = new Map([
  ['auto', chooseUsable],
  ['anthropic', chooseAnthropic],
  ['anthropic-api', chooseAnthropic],
  ['claude-api', chooseAnthropic],
  ['ollama', chooseOllama],
  ['ollama-local', chooseOllama],
  ['loopback', () => chooseLoopback('loopback was asked for')],
]);

/** Every name that `selectProvider` takes, aliases included. */
export const PROVIDER_NAMES: readonly string[] = [...CHOICES.keys()];

/**
 * Builds the provider that an aspect asked for. An adapter, and with it its SDK, is loaded only
 * when it is chosen. A setting in `config` wins over the environment, which wins over files.
 *
 * Throws `ProviderError` saying what to do: `unsupported` for an unknown name, `auth` for a missing
 * or unusable key (also in `auto`, when a key file is there but must not be used), `provider` for
 * an Ollama that is away or lacks the model.
 */
export async function selectProvider(options: SelectOptions): Promise<Selection> {
  const asked = options.provider?.trim() || 'auto';
  const choose = CHOICES.get(asked);
  if (!choose) {
    const known = PROVIDER_NAMES.join(', ');
    throw unusable('unsupported', `there is no provider "${asked}"; known are: ${known}`);
  }
  return choose({ ...options, config: options.config ?? {} });
}

async function chooseUsable(context: Context): Promise<Selection> {
  const anthropic = await findAnthropic(context);
  if (anthropic) return anthropic;
  const ollama = await tryOllama(context, AUTO_PROBE_MS);
  if ('provider' in ollama) return ollama;
  const { problem, wanted } = ollama;
  const lacking =
    problem === 'away' ? 'no Ollama found' : `Ollama has no ${wanted ?? 'chat model'}`;
  return chooseLoopback(`no key and ${lacking}`);
}

async function chooseAnthropic(context: Context): Promise<Selection> {
  const found = await findAnthropic(context);
  if (found) return found;
  throw unusable(
    'auth',
    'anthropic needs a key: set ANTHROPIC_API_KEY, or put {"api_key": "…"} into ' +
      '.credentials/anthropic.json in the home of the aspect (chmod 600)',
  );
}

async function findAnthropic(context: Context): Promise<Selection | undefined> {
  const fromEnv = context.env['ANTHROPIC_API_KEY']?.trim();
  const { findApiKey } = await import('./anthropic/key-file.ts');
  const apiKey = fromEnv || (await findApiKey(context.home));
  if (!apiKey) return undefined;
  const { AnthropicProvider } = await import('./anthropic/anthropic-provider.ts');
  const { config, env, clock } = context;
  const baseUrl = config.baseUrl ?? (env['ANTHROPIC_BASE_URL']?.trim() || undefined);
  return {
    provider: new AnthropicProvider({ ...config, apiKey, baseUrl, clock }),
    reason: fromEnv ? 'ANTHROPIC_API_KEY is set' : 'the home holds an Anthropic key',
  };
}

async function chooseOllama(context: Context): Promise<Selection> {
  const found = await tryOllama(context, NAMED_PROBE_MS);
  if ('provider' in found) return found;
  const { problem, baseUrl, wanted } = found;
  const advice =
    problem === 'away'
      ? `there is no Ollama at ${baseUrl}; start it with: ollama serve (or set OLLAMA_HOST)`
      : `Ollama at ${baseUrl} has no model ${wanted ?? 'for chat'}; run: ollama pull ${wanted ?? 'NAME'}`;
  throw unusable('provider', advice);
}

interface NoOllama {
  problem: 'away' | 'no_model';
  baseUrl: string;
  /** The configured model, if there is one. */
  wanted: string | undefined;
}

async function tryOllama(context: Context, probeMs: number): Promise<Selection | NoOllama> {
  const { config, env, clock } = context;
  const { ollamaUrl } = await import('./ollama/ollama-url.ts');
  const { findInstalled, probeOllama } = await import('./ollama/installed-models.ts');
  const baseUrl = ollamaUrl(config.baseUrl, env);
  const wanted = config.model;
  const state = await probeOllama(baseUrl, probeMs);
  if (!state.running) return { problem: 'away', baseUrl, wanted };
  const model = wanted === undefined ? state.models[0] : findInstalled(state.models, wanted);
  if (model === undefined) return { problem: 'no_model', baseUrl, wanted };
  const { OllamaProvider } = await import('./ollama/ollama-provider.ts');
  return {
    provider: new OllamaProvider({ ...config, baseUrl, model, clock }),
    reason: `Ollama at ${baseUrl} has ${model}`,
  };
}

async function chooseLoopback(reason: string): Promise<Selection> {
  const { LoopbackProvider } = await import('./loopback/loopback-provider.ts');
  return { provider: new LoopbackProvider(), reason };
}

function unusable(code: 'unsupported' | 'auth' | 'provider', message: string): ProviderError {
  return new ProviderError(code, message, { retryable: false });
}
