import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { systemCodeOf } from '#shared/errors';
import { VaultError } from '../errors.ts';
import { type DataKey, dataKey } from './seal.ts';

/** In the data directory, unless the key comes from the environment. */
export const vaultKeyFile = 'vault.key';

/** Keys at hand at one time. More than one only while the key changes, or after a merge by hand. */
export const maxKeys = 8;

/** Keys as text: 64 hex digits each, the one that seals first. Throws `VaultError`. */
export function parseKeys(text: string, where: string): DataKey[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (words.length === 0 || words.length > maxKeys) {
    const message = `${where} must hold 1 to ${maxKeys} keys of 64 hex digits, and has ${words.length}`;
    throw new VaultError('vault.bad_key', message);
  }
  return words.map((word) => {
    if (/^[0-9a-f]{64}$/i.test(word)) return dataKey(Buffer.from(word, 'hex'));
    throw new VaultError('vault.bad_key', `${where} holds something that is not 64 hex digits`);
  });
}

export const formatKeys = (keys: readonly DataKey[]): string =>
  keys.map(({ bytes }) => `${bytes.toString('hex')}\n`).join('');

/** The keys of the vault on disk (mode 0600), one a line. Replaced whole, and synced. */
export class KeyFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Nothing when there is no file. Throws `VaultError` when it holds no keys. */
  read(): DataKey[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return [];
      throw error;
    }
    this.#closeToOthers();
    return parseKeys(text, this.#path);
  }

  /** Readers see the keys before or these, also after a power cut. */
  write(keys: readonly DataKey[]): void {
    const temporary = `${this.#path}.tmp`;
    rmSync(temporary, { force: true });
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(file, formatKeys(keys));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, this.#path);
    this.#syncFolder();
  }

  remove(): void {
    rmSync(this.#path, { force: true });
    this.#syncFolder();
  }

  /** It may have come from a copy that anybody can read. */
  #closeToOthers(): void {
    if ((statSync(this.#path).mode & 0o077) === 0) return;
    try {
      chmodSync(this.#path, 0o600);
    } catch {
      // Mounted by somebody who decides for himself; `nexus doctor` says who can read it.
    }
  }

  #syncFolder(): void {
    // Windows cannot open folders, and needs no sync of them.
    if (process.platform === 'win32') return;
    const folder = openSync(dirname(this.#path), 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}
