import type { AspectHome } from '#shared/config/aspect-json';
import type { Clock } from '#shared/sys/clock';
import type { Provider } from '../providers/provider.ts';
import { parseProviderConfig } from '../providers/provider-config.ts';
import { selectProvider } from '../providers/select.ts';

/** The model an aspect will think with, and why that one. */
export interface ChosenProvider {
  readonly provider: Provider;
  readonly model: string | undefined;
  readonly reason: string;
}

/** What a start may say over the home's own configuration. */
export interface ProviderWish {
  /** A provider's name, instead of the one in `aspect.json`. */
  readonly provider?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** Builds the provider of a home. Throws `ProviderError` saying what to do. */
export async function chooseProvider(
  home: AspectHome,
  wish: ProviderWish,
): Promise<ChosenProvider> {
  const { config, path } = home;
  const overridden = wish.provider !== undefined && wish.provider !== config.provider;
  // Another provider's model name would mean nothing to this one.
  const providerConfig = overridden ? {} : parseProviderConfig(config.provider_config);
  const { provider, reason } = await selectProvider({
    provider: wish.provider ?? config.provider,
    config: providerConfig,
    env: wish.env,
    home: path,
    clock: wish.clock,
  });
  return { provider, model: providerConfig.model, reason };
}
