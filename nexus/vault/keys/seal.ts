import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';
import { VaultError } from '../errors.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
export const keyBytes = 32;

/** Seals credentials. Its id says nothing of it, and belongs to it alone. */
export interface DataKey {
  readonly id: string;
  readonly bytes: Buffer;
}

/** An encrypted bundle. Version 1 is the reference's: key from the session secret, no AAD. */
export interface Sealed {
  readonly version: 1 | 2;
  /** Of version 2. */
  readonly keyId?: string | undefined;
  readonly nonce: Buffer;
  /** The ciphertext, then the tag of 16 bytes. */
  readonly data: Buffer;
}

/** What a seal belongs to: moved to another credential, it does not open (auth spec §14 C3). */
export interface SealedFor {
  readonly name: string;
  readonly kind: string;
}

/** Throws `VaultError` when there are not 32 bytes. */
export function dataKey(bytes: Buffer): DataKey {
  if (bytes.length !== keyBytes) throw new VaultError('vault.bad_key', 'a key has 32 bytes');
  return { id: hash('sha256', `nexus.vault.key-id\n${bytes.toString('hex')}`).slice(0, 16), bytes };
}

export const newDataKey = (): DataKey => dataKey(randomBytes(keyBytes));

/** The key of version 1 (auth spec §10.3). */
export const legacyKey = (sessionSecret: Buffer): Buffer =>
  Buffer.from(hkdfSync('sha256', sessionSecret, '', 'nexus.credentials.v1', keyBytes));

/** Seals a text, as version 2. */
export function seal(plain: string, { id, bytes }: DataKey, belongsTo: SealedFor): Sealed {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, bytes, nonce, { authTagLength: tagBytes });
  cipher.setAAD(boundTo(belongsTo));
  const data = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { version: 2, keyId: id, nonce, data };
}

/** Opens a seal of either version. Throws `VaultError` (`vault.does_not_open`). */
export function unseal(
  { version, nonce, data }: Sealed,
  key: Buffer,
  belongsTo: SealedFor,
): string {
  const { name, kind } = belongsTo;
  try {
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
    if (version === 2) decipher.setAAD(boundTo(belongsTo));
    decipher.setAuthTag(data.subarray(-tagBytes));
    return decipher.update(data.subarray(0, -tagBytes), undefined, 'utf8') + decipher.final('utf8');
  } catch (cause) {
    const message = `the ${kind} credential "${name}" does not open: it was altered, or moved here`;
    throw new VaultError('vault.does_not_open', message, { cause });
  }
}

/** One text for each version, kind and name: kinds are words, so the name comes last. */
const boundTo = ({ name, kind }: SealedFor): Buffer =>
  Buffer.from(`nexus.credentials.v2\0${kind}\0${name}`);
