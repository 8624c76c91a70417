import { messageOf } from '#shared/errors';
import type { CredentialKind } from '#shared/frames/credentials';
import { FrameRefused } from '#shared/frames/errors';
import type { KnownSecrets } from '#shared/sys/known-secrets';
import type { Log } from '#shared/sys/log';
import type { Journal } from '../journal/journal.ts';
import {
  type CredentialDeleted,
  type CredentialStored,
  type CredentialsResealed,
  credentialDeleted,
  credentialStored,
  credentialsResealed,
  type SealedBundle,
} from './events.ts';
import type { KeyRing } from './keys/key-ring.ts';
import { type Sealed, seal } from './keys/seal.ts';
import {
  assertBundle,
  type Bundle,
  type CredentialMode,
  isCredentialKind,
  kindRules,
  secretsIn,
} from './kinds.ts';
import {
  assertAllowList,
  assertCredentialName,
  assertDescription,
  maxCredentials,
  maxVaultBytes,
} from './limits.ts';
import { OneAtATime } from './one-at-a-time.ts';
import type { StoredCredential, VaultStore } from './vault-store.ts';

export interface VaultDeps {
  readonly journal: Journal;
  readonly store: VaultStore;
  readonly keys: KeyRing;
  /** Told what must not get into a log. */
  readonly secrets: KnownSecrets;
  readonly log: Log;
}

/** What to store. What is left out stays as it was, or takes the kind's default. */
export interface CredentialChange {
  readonly name: string;
  readonly kind?: CredentialKind | undefined;
  readonly bundle?: Bundle | undefined;
  readonly mode?: CredentialMode | undefined;
  readonly allowedAspects?: readonly string[] | undefined;
  readonly description?: string | undefined;
}

/** What came of changing the key. */
export interface KeyRotated {
  readonly keyId: string;
  readonly credentials: number;
  /** False when the old key could not be taken off the disk: the next start does. */
  readonly oldKeyRemoved: boolean;
}

/** Who is recorded for what the broker does by itself. */
const ourselves = 'nexus';

/** The instance's credentials: sealed at rest, and opened only for whoever may have them. */
export class Vault {
  readonly #deps: VaultDeps;
  /** A change reads what is there and then writes: none may come in between. */
  readonly #changes = new OneAtATime();

  constructor(deps: VaultDeps) {
    this.#deps = deps;
  }

  /**
   * Ends a change of key that a crash cut off, takes over what the reference stored, and learns
   * which secrets there are. A credential that does not open is only logged: others do.
   */
  async start(): Promise<void> {
    const { store, keys, secrets, log } = this.#deps;
    const stored = store.list();
    keys.settle(new Set(stored.flatMap(({ sealed }) => sealed.keyId ?? [])));
    for (const credential of stored) {
      const { name, kind, sealed } = credential;
      try {
        const bundle = this.open(credential);
        secrets.set(name, secretsIn(kind, bundle));
        if (sealed.version === 1) await this.#adopt(credential, bundle);
      } catch (error) {
        log.warn({ err: error, credential: name }, 'a credential cannot be opened');
      }
    }
  }

  /** By name; of one kind or of all. */
  list(kind?: CredentialKind): StoredCredential[] {
    return this.#deps.store.list(kind);
  }

  /** Throws `FrameRefused` (`not_found`). */
  get(name: string): StoredCredential {
    const credential = this.#deps.store.find(name);
    if (credential) return credential;
    throw new FrameRefused('not_found', 'credential not found');
  }

  /** Whether its key is at hand. */
  canOpen({ sealed }: StoredCredential): boolean {
    return sealed.version === 1 || this.#deps.keys.has(sealed.keyId);
  }

  /** Throws `VaultError`. Whoever calls decides and records who may see it. */
  open({ name, kind, sealed }: StoredCredential): Bundle {
    return JSON.parse(this.#deps.keys.unseal(sealed, { name, kind })) as Bundle;
  }

  /** Stores a credential, or changes one. Resolves once it is on disk. Throws `FrameRefused`. */
  set(change: CredentialChange, by: string): Promise<StoredCredential> {
    const { name, bundle, allowedAspects = [], description = '' } = change;
    assertCredentialName(name);
    assertAllowList(allowedAspects);
    assertDescription(description);
    return this.#changes.run(async () => {
      const { journal, store, secrets } = this.#deps;
      const before = store.find(name);
      const kind = kindOf(change, before);
      const sealed = bundle && this.#seal(bundle, { name, kind });
      const body: CredentialStored['body'] = {
        name,
        kind,
        mode: change.mode ?? before?.mode ?? kindRules[kind].mode,
        allowedAspects: change.allowedAspects ?? before?.allowedAspects ?? [],
        description: change.description ?? before?.description ?? '',
        ...(sealed && { sealed: asBase64(sealed) }),
      };
      if (bundle) secrets.set(name, secretsIn(kind, bundle));
      await journal.append({ kind: credentialStored, actor: by, body });
      return this.get(name);
    });
  }

  /** Throws `FrameRefused` (`not_found`). Its audit stays. */
  delete(name: string, by: string): Promise<void> {
    return this.#changes.run(async () => {
      this.get(name);
      const body: CredentialDeleted['body'] = { name };
      await this.#deps.journal.append({ kind: credentialDeleted, actor: by, body });
      this.#deps.secrets.forget(name);
    });
  }

  /**
   * Seals everything with another key, in one event, and destroys the one before. At no moment is
   * there a credential whose key is not on disk. Throws `FrameRefused` (`conflict`).
   */
  rotateKey(by: string): Promise<KeyRotated> {
    return this.#changes.run(async () => {
      const { journal, store, keys, log } = this.#deps;
      const opened = store
        .list()
        .map((credential) => ({ ...credential, plain: this.#mustOpen(credential) }));
      const key = keys.next();
      const bundles = opened.map(({ name, kind, plain }) => ({
        name,
        ...asBase64(seal(plain, key, { name, kind })),
      }));
      const body: CredentialsResealed['body'] = { keyId: key.id, bundles };
      await journal.append({ kind: credentialsResealed, actor: by, body });
      const rotated = { keyId: key.id, credentials: bundles.length };
      try {
        keys.retireAllBut(key);
        return { ...rotated, oldKeyRemoved: true };
      } catch (error) {
        log.error({ err: error }, 'the old key is still on disk; the next start removes it');
        return { ...rotated, oldKeyRemoved: false };
      }
    });
  }

  #seal(bundle: Bundle, belongsTo: { name: string; kind: CredentialKind }): Sealed {
    const { store, keys } = this.#deps;
    assertBundle(belongsTo.kind, bundle);
    const { count, bytes } = store.sizeWithout(belongsTo.name);
    if (count >= maxCredentials) {
      throw new FrameRefused('too_large', `the vault may hold ${maxCredentials} credentials`);
    }
    if (keys.isEmpty && store.list().some(({ sealed }) => sealed.version === 2)) {
      throw new FrameRefused(
        'conflict',
        'the key of the vault is not here; bring it back (vault.key or NEXUS_VAULT_KEY), ' +
          'or delete the credentials that it sealed',
      );
    }
    const sealed = keys.seal(JSON.stringify(bundle), belongsTo);
    if (bytes + sealed.data.length <= maxVaultBytes) return sealed;
    throw new FrameRefused('too_large', `all bundles together may have ${maxVaultBytes} bytes`);
  }

  #mustOpen({ name, kind, sealed }: StoredCredential): string {
    try {
      return this.#deps.keys.unseal(sealed, { name, kind });
    } catch (cause) {
      const message = `${messageOf(cause)}; bring its key back, or delete it`;
      throw new FrameRefused('conflict', message, { cause });
    }
  }

  /** What was there before the journal, sealed by the reference, is sealed by us and recorded. */
  async #adopt(credential: StoredCredential, bundle: Bundle): Promise<void> {
    const { name, kind, mode, allowedAspects, description, createdAt, lastUsedAt } = credential;
    const { journal, keys } = this.#deps;
    const sealed = asBase64(keys.seal(JSON.stringify(bundle), { name, kind }));
    const facts = { name, kind, mode, allowedAspects, description, createdAt };
    const body: CredentialStored['body'] = { ...facts, ...(lastUsedAt && { lastUsedAt }), sealed };
    await journal.append({ kind: credentialStored, actor: ourselves, body });
  }
}

/** Throws `FrameRefused` when a change does not tell enough. */
function kindOf(
  { name, kind, bundle }: CredentialChange,
  before: StoredCredential | undefined,
): CredentialKind {
  const known = kind ?? before?.kind;
  if (known === undefined) throw bad('kind is required');
  if (!isCredentialKind(known)) throw bad(`"${name}" is of a kind that is not ours; delete it`);
  if (bundle) return known;
  if (!before) throw bad('bundle is required');
  if (known === before.kind) return known;
  throw bad(`"${name}" is of kind ${before.kind}; to change that, give a bundle`);
}

const bad = (message: string) => new FrameRefused('bad_request', message);

const asBase64 = ({ keyId = '', nonce, data }: Sealed): SealedBundle => ({
  keyId,
  nonce: nonce.toString('base64'),
  data: data.toString('base64'),
});
