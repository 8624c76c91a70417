import { ed25519 } from '@noble/curves/ed25519.js';

/** Bytes of a seed, of a public key, and of both X25519 forms. */
export const keyBytes = 32;

/** An Ed25519 pair. Whoever has the seed has the identity. */
export interface SigningPair {
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
}

export function newSigningPair(): SigningPair {
  const { secretKey, publicKey } = ed25519.keygen();
  return { seed: secretKey, publicKey };
}

/** The public half of a 32-byte seed. */
export const publicKeyOf = (seed: Uint8Array): Uint8Array => ed25519.getPublicKey(seed);

/** The X25519 form of an Ed25519 public key: what others seal to. Throws when it is no point. */
export const sealingKeyOf = (publicKey: Uint8Array): Uint8Array =>
  ed25519.utils.toMontgomery(publicKey);

/** The X25519 form of a seed: the hashed and clamped scalar, never the seed itself. */
export const openingKeyOf = (seed: Uint8Array): Uint8Array =>
  ed25519.utils.toMontgomerySecret(seed);
