import { FrameRefused } from '#shared/frames/errors';
import { VaultError } from '../errors.ts';
import { type KeyFile, maxKeys, parseKeys } from './key-file.ts';
import {
  type DataKey,
  legacyKey,
  newDataKey,
  type Sealed,
  type SealedFor,
  seal,
  unseal,
} from './seal.ts';

/** Where keys may be given instead of the file: the first seals, others only open. */
export const vaultKeyVariable = 'NEXUS_VAULT_KEY';

export interface KeyRingOptions {
  readonly file: KeyFile;
  /** What the environment says. */
  readonly given?: string | undefined;
  /** Opens what the reference sealed. */
  readonly sessionSecret: Buffer;
}

/** The keys at hand. Those of the environment come before those of the file. */
export class KeyRing {
  readonly #file: KeyFile;
  readonly #given: readonly DataKey[];
  readonly #legacyKey: Buffer;
  #kept: readonly DataKey[];

  /** Throws `VaultError` when what is there are no keys. */
  constructor({ file, given, sessionSecret }: KeyRingOptions) {
    this.#file = file;
    this.#given = given ? parseKeys(given, vaultKeyVariable) : [];
    this.#kept = file.read();
    this.#legacyKey = legacyKey(sessionSecret);
  }

  get isEmpty(): boolean {
    return this.#keys().length === 0;
  }

  has(keyId: string | undefined): boolean {
    return this.#keys().some(({ id }) => id === keyId);
  }

  /** Seals with the first key. Where there is none yet, one is made and on disk before. */
  seal(plain: string, belongsTo: SealedFor): Sealed {
    return seal(plain, this.#current(), belongsTo);
  }

  /** Throws `VaultError`: `vault.no_key` or `vault.does_not_open`. */
  unseal(sealed: Sealed, belongsTo: SealedFor): string {
    if (sealed.version === 1) return unseal(sealed, this.#legacyKey, belongsTo);
    const key = this.#keys().find(({ id }) => id === sealed.keyId);
    if (key) return unseal(sealed, key.bytes, belongsTo);
    const message = `"${belongsTo.name}" is sealed with key ${sealed.keyId}, which is not here`;
    throw new VaultError('vault.no_key', message);
  }

  /**
   * The key that everything is to be sealed with next: the first of the environment, or a new one,
   * on disk beside the others before this returns. Until `retireAllBut`, either opens after a crash.
   */
  next(): DataKey {
    const [given] = this.#given;
    if (given) {
      if (this.#keys().length > 1) return given;
      throw new FrameRefused(
        'conflict',
        `the key comes from ${vaultKeyVariable}; start the broker with ` +
          `${vaultKeyVariable}=NEW,OLD, do this again, and take OLD away`,
      );
    }
    if (this.#kept.length === maxKeys) {
      throw new FrameRefused('conflict', 'keys of broken attempts are left: restart the broker');
    }
    const key = newDataKey();
    this.#keep([...this.#kept, key]);
    return key;
  }

  /** Destroys every key on disk but this one, with which everything is sealed now. */
  retireAllBut(key: DataKey): void {
    const kept = this.#kept.filter(({ id }) => id === key.id);
    if (kept.length === 0) {
      this.#file.remove();
      this.#kept = [];
    } else if (kept.length < this.#kept.length) {
      this.#keep(kept);
    }
  }

  /** After a crash in the middle of a change: drops what nothing is sealed with. */
  settle(inUse: ReadonlySet<string>): void {
    if (this.#kept.length < 2) return;
    const kept = this.#kept.filter(({ id }) => inUse.has(id));
    // Nothing tells which one counts, and either will do.
    this.#keep(kept.length > 0 ? kept : this.#kept.slice(0, 1));
  }

  #current(): DataKey {
    const [first] = this.#keys();
    if (first) return first;
    const key = newDataKey();
    this.#keep([key]);
    return key;
  }

  #keys(): readonly DataKey[] {
    return [...this.#given, ...this.#kept];
  }

  #keep(keys: readonly DataKey[]): void {
    this.#file.write(keys);
    this.#kept = keys;
  }
}
