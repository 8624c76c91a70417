import { CredentialFetch } from '#shared/frames/credentials';
import { FrameRefused } from '#shared/frames/errors';
import type {
  Credential,
  CredentialAsk,
  CredentialSource,
} from '../../credentials/credential-source.ts';
import type { AccessEntry } from '../events.ts';
import type { Bundle } from '../kinds.ts';
import type { Vault } from '../vault.ts';
import type { StoredCredential, VaultStore } from '../vault-store.ts';
import type { AccessLog } from './access-log.ts';
import { type Denial, denialOf } from './access-rules.ts';

export interface CredentialAccessDeps {
  readonly vault: Vault;
  readonly store: VaultStore;
  readonly log: AccessLog;
}

/** Serves `credential.fetch` (auth spec §10.5). Every outcome is recorded before it is told. */
export class CredentialAccess implements CredentialSource {
  readonly #deps: CredentialAccessDeps;

  constructor(deps: CredentialAccessDeps) {
    this.#deps = deps;
  }

  async fetch(ask: CredentialAsk): Promise<Credential | undefined> {
    const { store, log } = this.#deps;
    const { aspect, kind } = ask;
    const name = ask.name ?? this.#defaultFor(ask);
    const stored = name === undefined ? undefined : store.find(name);
    const denial = name === undefined ? 'no_default' : denialOf(stored, aspect, kind);
    const entry: AccessEntry = { name: name ?? '', details: detailsOf(ask) };
    if (!stored || denial !== undefined) {
      await log.record(aspect, 'denied', [because(entry, denial ?? 'unknown')]);
      throwUnlessHidden(ask, stored, denial);
      return undefined;
    }
    const bundle = await this.#open(stored, aspect, entry);
    await log.record(aspect, 'fetch', [entry]);
    return { name: stored.name, kind, bundle };
  }

  /** Providers have no one default: an aspect has one for each API (auth spec §10.4). */
  #defaultFor({ aspect, kind }: CredentialAsk): string | undefined {
    return kind === 'provider' ? undefined : this.#deps.store.defaultFor(aspect, kind);
  }

  async #open(stored: StoredCredential, aspect: string, entry: AccessEntry): Promise<Bundle> {
    try {
      return this.#deps.vault.open(stored);
    } catch (error) {
      await this.#deps.log.record(aspect, 'denied', [because(entry, 'unreadable')]);
      throw error;
    }
  }
}

function detailsOf({ aspect, kind, name, connection, identity }: CredentialAsk) {
  return {
    via: CredentialFetch.kind,
    kind,
    connection,
    ...(name === undefined && { default_for: kind }),
    ...(identity !== aspect && { identity }),
  };
}

const because = ({ name, details }: AccessEntry, reason: string): AccessEntry => ({
  name,
  details: { ...details, reason },
});

/** What an aspect on the list may be told, it is told; all else looks as if there were nothing. */
function throwUnlessHidden(
  { kind, name }: CredentialAsk,
  stored: StoredCredential | undefined,
  denial: Denial | 'no_default' | undefined,
): void {
  if (denial === 'no_default' && kind === 'provider') {
    throw new FrameRefused('bad_request', 'name the provider credential: it has no default');
  }
  if (denial === 'proxy_only') {
    throw new FrameRefused('forbidden', 'credential mode forbids fetch (mode=proxy)');
  }
  if (denial === 'other_kind' && name !== undefined) {
    const message = `credential "${name}" is of kind ${stored?.kind}, not ${kind}`;
    throw new FrameRefused('bad_request', message);
  }
}
