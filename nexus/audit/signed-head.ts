import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';

/** Where the journal stood: everything up to here is covered by one hash. */
export interface Head {
  readonly position: number;
  readonly hash: string;
}

/** A head that the instance vouches for. */
export interface SignedHead extends Head {
  /** When it was signed, in milliseconds since the epoch. */
  readonly at: number;
  /** Ed25519, base64. */
  readonly signature: string;
}

/** Signs a head as an instance. `seed` is its 32-byte Ed25519 seed, `publicKey` its other half. */
export function signHead(
  head: Head & { readonly at: number },
  instance: { readonly nexusId: string; readonly seed: Buffer; readonly publicKey: Buffer },
): SignedHead {
  const key = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'OKP',
      crv: 'Ed25519',
      d: instance.seed.toString('base64url'),
      x: instance.publicKey.toString('base64url'),
    },
  });
  const signature = sign(null, signedText(head, instance.nexusId), key).toString('base64');
  return { ...head, signature };
}

/** Whether an instance, known by its public key, signed this head. */
export function isSignedBy(
  head: SignedHead,
  instance: { readonly nexusId: string; readonly publicKey: Buffer },
): boolean {
  const x = instance.publicKey.toString('base64url');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  const signature = Buffer.from(head.signature, 'base64');
  return verify(null, signedText(head, instance.nexusId), key, signature);
}

const signedText = ({ position, hash, at }: Head & { at: number }, nexusId: string): Buffer =>
  Buffer.from(`nexus-journal-head-v1\n${nexusId}\n${position}\n${hash}\n${at}`);
