import { messageOf } from '#shared/errors';
import { FrameRefused } from '#shared/frames/errors';
import type { Journal } from '../journal/journal.ts';
import {
  type CredentialDefaultsSet,
  type CredentialUse,
  credentialDefaultsSet,
  credentialUses,
} from './events.ts';
import type { Vault } from './vault.ts';
import type { StoredCredential, VaultStore } from './vault-store.ts';

/** The name of a credential by use; an empty one means there is none. */
export type Defaults = Readonly<Record<CredentialUse, string>>;

/** Which credential an aspect is given when it names none (auth spec §10.4). */
export class CredentialDefaults {
  readonly #journal: Journal;
  readonly #store: VaultStore;
  readonly #vault: Vault;

  constructor(deps: { journal: Journal; store: VaultStore; vault: Vault }) {
    this.#journal = deps.journal;
    this.#store = deps.store;
    this.#vault = deps.vault;
  }

  of(aspect: string): Defaults {
    const nameFor = (use: CredentialUse) => this.#store.defaultFor(aspect, use) ?? '';
    return {
      anthropic: nameFor('anthropic'),
      openai: nameFor('openai'),
      jira: nameFor('jira'),
      imap: nameFor('imap'),
    };
  }

  /**
   * Changes the uses that are named, all or none; an empty name takes the default away. Throws
   * `FrameRefused` when a credential is not there or is no use for that (auth spec §14 D3).
   */
  async set(aspect: string, changes: Partial<Defaults>, by: string): Promise<void> {
    for (const use of credentialUses) {
      const name = changes[use];
      if (name) this.#assertFits(use, name);
    }
    const body: CredentialDefaultsSet['body'] = { aspect, defaults: changes };
    await this.#journal.append({ kind: credentialDefaultsSet, actor: by, body });
  }

  #assertFits(use: CredentialUse, name: string): void {
    const field = `default_${use}_credential`;
    const credential = this.#store.find(name);
    if (!credential)
      throw new FrameRefused('bad_request', `${field}: credential not found: ${name}`);
    const served = this.#useOf(credential, field);
    if (served === use) return;
    const message = `${field}: "${name}" is for ${served}`;
    throw new FrameRefused('bad_request', message);
  }

  #useOf(credential: StoredCredential, field: string): unknown {
    if (credential.kind !== 'provider') return credential.kind;
    try {
      return this.#vault.open(credential)['api_shape'];
    } catch (cause) {
      throw new FrameRefused('bad_request', `${field}: ${messageOf(cause)}`, { cause });
    }
  }
}
