import type { KnownSecrets } from '#shared/sys/known-secrets';
import type { Log } from '#shared/sys/log';
import type { Journal } from '../journal/journal.ts';
import { AccessLog } from './access/access-log.ts';
import { CredentialAccess } from './access/credential-access.ts';
import { ProviderEnvironment } from './access/provider-environment.ts';
import { CredentialDefaults } from './credential-defaults.ts';
import { KeyFile } from './keys/key-file.ts';
import { KeyRing } from './keys/key-ring.ts';
import { McpProfiles } from './profiles/mcp-profiles.ts';
import type { ProfileStore } from './profiles/profile-store.ts';
import { Vault } from './vault.ts';
import type { VaultStore } from './vault-store.ts';

export interface OpenVaultOptions {
  readonly journal: Journal;
  readonly store: VaultStore;
  readonly profileStore: ProfileStore;
  readonly keyFile: string;
  /** Keys from the environment. */
  readonly givenKeys: string | undefined;
  readonly sessionSecret: Buffer;
  readonly secrets: KnownSecrets;
  readonly log: Log;
}

/** Everything that serves credentials. */
export interface OpenVault {
  readonly vault: Vault;
  readonly access: CredentialAccess;
  readonly defaults: CredentialDefaults;
  readonly profiles: McpProfiles;
  readonly environment: ProviderEnvironment;
}

/** Builds and starts the vault. Rejects with `VaultError` when its keys are none. */
export async function openVault(options: OpenVaultOptions): Promise<OpenVault> {
  const { journal, store, profileStore, givenKeys: given, sessionSecret, secrets, log } = options;
  const keys = new KeyRing({ file: new KeyFile(options.keyFile), given, sessionSecret });
  const vault = new Vault({ journal, store, keys, secrets, log });
  await vault.start();
  const access = new AccessLog(journal);
  return {
    vault,
    access: new CredentialAccess({ vault, store, log: access }),
    defaults: new CredentialDefaults({ journal, store, vault }),
    profiles: new McpProfiles({
      journal,
      profiles: profileStore,
      credentials: store,
      vault,
      log: access,
    }),
    environment: new ProviderEnvironment({ vault, store, access, log }),
  };
}
