import { hsalsa, xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { keyBytes } from './ed25519-keys.ts';

const nonceBytes = 24;

/**
 * Seals a message so that only the owner of `recipient` (an X25519 public key) can read it, and
 * nobody can tell who sent it: libsodium's `crypto_box_seal`. 48 bytes longer than the message.
 *
 * `ephemeral` is the one-time secret key; fixed only to reproduce a known box.
 */
export function seal(
  message: Uint8Array,
  recipient: Uint8Array,
  ephemeral: Uint8Array = x25519.utils.randomSecretKey(),
): Uint8Array {
  const ephemeralPublic = x25519.getPublicKey(ephemeral);
  const body = cipher(ephemeral, recipient, nonceFor(ephemeralPublic, recipient)).encrypt(message);
  return Buffer.concat([ephemeralPublic, body]);
}

/** Opens what was sealed to an X25519 pair; undefined for anything that was not. */
export function openSealed(
  sealed: Uint8Array,
  secret: Uint8Array,
  recipient: Uint8Array,
): Uint8Array | undefined {
  const ephemeralPublic = sealed.subarray(0, keyBytes);
  try {
    const nonce = nonceFor(ephemeralPublic, recipient);
    return cipher(secret, ephemeralPublic, nonce).decrypt(sealed.subarray(keyBytes));
  } catch {
    // Too short, a degenerate point, a wrong tag: whoever sealed it is to learn nothing from which.
    return undefined;
  }
}

const nonceFor = (ephemeralPublic: Uint8Array, recipient: Uint8Array): Uint8Array =>
  blake2b(Buffer.concat([ephemeralPublic, recipient]), { dkLen: nonceBytes });

/** The cipher of `crypto_box`: the shared secret goes through HSalsa20 once, with a zero nonce. */
function cipher(secret: Uint8Array, publicKey: Uint8Array, nonce: Uint8Array) {
  const shared = words(x25519.getSharedSecret(secret, publicKey));
  const key = new Uint32Array(8);
  hsalsa(sigma, shared, new Uint32Array(4), key);
  return xsalsa20poly1305(bytes(key), nonce);
}

const sigma = words(new TextEncoder().encode('expand 32-byte k'));

/** Little-endian words, whatever this machine's order. */
function words(from: Uint8Array): Uint32Array {
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength);
  return Uint32Array.from({ length: from.length / 4 }, (_, i) => view.getUint32(i * 4, true));
}

function bytes(from: Uint32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(from.length * 4));
  for (const [i, word] of from.entries()) view.setUint32(i * 4, word, true);
  return new Uint8Array(view.buffer);
}
