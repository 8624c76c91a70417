import type { Log } from '#shared/sys/log';
import { apiShapes, type Bundle } from '../kinds.ts';
import type { Vault } from '../vault.ts';
import type { VaultStore } from '../vault-store.ts';
import type { AccessLog } from './access-log.ts';
import { denialOf } from './access-rules.ts';

type ApiShape = (typeof apiShapes)[number];

/** What the libraries of a provider read (auth spec §10.1). */
const variables = {
  anthropic: { key: 'ANTHROPIC_API_KEY', url: 'ANTHROPIC_BASE_URL' },
  openai: { key: 'OPENAI_API_KEY', url: 'OPENAI_BASE_URL' },
} as const satisfies Record<ApiShape, { key: string; url: string }>;

export interface ProviderEnvironmentDeps {
  readonly vault: Vault;
  readonly store: VaultStore;
  readonly access: AccessLog;
  readonly log: Log;
}

/** The keys with which an aspect thinks that runs in this process: its default credentials. */
export class ProviderEnvironment {
  readonly #deps: ProviderEnvironmentDeps;

  constructor(deps: ProviderEnvironmentDeps) {
    this.#deps = deps;
  }

  /** Environment variables to put over the ambient ones; none where no default can be used. */
  async of(aspect: string): Promise<Readonly<Record<string, string>>> {
    const found: Record<string, string> = {};
    for (const shape of apiShapes) {
      const bundle = await this.#open(aspect, shape);
      if (!bundle) continue;
      const { key, url } = variables[shape];
      found[key] = String(bundle['key']);
      const address = String(bundle['base_url'] ?? '').trim();
      if (address !== '') found[url] = address;
    }
    return found;
  }

  /** In this process nothing is handed out, so that the mode does not matter; the list does. */
  async #open(aspect: string, shape: ApiShape): Promise<Bundle | undefined> {
    const { vault, store, access, log } = this.#deps;
    const name = store.defaultFor(aspect, shape);
    if (name === undefined) return undefined;
    const stored = store.find(name);
    const denial = denialOf(stored, aspect, 'provider');
    const details = { via: 'provider_environment', kind: 'provider', default_for: shape };
    const refuse = async (reason: string, error?: unknown): Promise<undefined> => {
      log.warn({ aspect, credential: name, reason, err: error }, 'a default credential is no use');
      await access.record(aspect, 'denied', [{ name, details: { ...details, reason } }]);
    };
    if (!stored || (denial && denial !== 'proxy_only')) return refuse(denial ?? 'unknown');
    let bundle: Bundle;
    try {
      bundle = vault.open(stored);
    } catch (error) {
      return refuse('unreadable', error);
    }
    if (bundle['api_shape'] !== shape) return refuse('other_kind');
    await access.record(aspect, 'fetch', [{ name, details }]);
    return bundle;
  }
}
