import { hash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { compileSchema } from '../schema.ts';
import { keyBytes, openingKeyOf, type SigningPair, sealingKeyOf } from './ed25519-keys.ts';
import type { Keyfile } from './keyfile.ts';
import { openSealed, seal } from './sealed-box.ts';

/** What is sealed in a keyfile, as the reference writes it. */
const PayloadJson = Type.Object({
  aspect_name: Type.String({ minLength: 1 }),
  aspect_privkey: Type.String(),
  keyfile_version: Type.Integer(),
  minted_at: Type.Optional(Type.String()),
  nexus_id: Type.String(),
});
export type KeyfilePayload = Static<typeof PayloadJson>;

const check = compileSchema(PayloadJson);

/** What a keyfile is made from. */
export interface KeyfileParts {
  readonly name: string;
  /** Of the pair whose public half the broker has recorded. */
  readonly seed: Uint8Array;
  readonly version: number;
  readonly nexusId: string;
  readonly nexusUrl: string;
  /** The broker's Ed25519 key. */
  readonly serverPublicKey: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Seals a new keyfile. `fingerprint` is the SHA-256 of the sealed bytes, in hex. */
export function makeKeyfile(parts: KeyfileParts): { keyfile: Keyfile; fingerprint: string } {
  const issuedAt = `${new Date(parts.now).toISOString().slice(0, 19)}Z`;
  const payload: KeyfilePayload = {
    aspect_name: parts.name,
    aspect_privkey: Buffer.from(parts.seed).toString('base64'),
    keyfile_version: parts.version,
    minted_at: issuedAt,
    nexus_id: parts.nexusId,
  };
  const recipient = sealingKeyOf(parts.serverPublicKey);
  const sealed = Buffer.from(seal(Buffer.from(JSON.stringify(payload)), recipient));
  const keyfile: Keyfile = {
    version: 1,
    format: 'nexus-keyfile-v1',
    envelope: {
      nexus_url: parts.nexusUrl,
      nexus_id: parts.nexusId,
      issued_at: issuedAt,
      server_pubkey: Buffer.from(parts.serverPublicKey).toString('base64'),
    },
    encrypted_payload: sealed.toString('base64'),
  };
  return { keyfile, fingerprint: hash('sha256', sealed, 'hex') };
}

/** The sealed text of a keyfile; undefined unless it was sealed to this pair. */
export function openPayload(encrypted: string, server: SigningPair): string | undefined {
  const sealed = fromBase64(encrypted);
  if (!sealed) return undefined;
  const opened = openSealed(sealed, openingKeyOf(server.seed), sealingKeyOf(server.publicKey));
  return opened && Buffer.from(opened).toString('utf8');
}

/** What an opened payload says; undefined when it is not what is sealed in keyfiles. */
export function parsePayload(opened: string): KeyfilePayload | undefined {
  try {
    const value: unknown = JSON.parse(opened);
    return check.accepts(value) ? value : undefined;
  } catch {
    // Not JSON.
    return undefined;
  }
}

/** The bytes of a key in standard, padded base64; undefined unless there are exactly 32. */
export function parseKey(base64: string): Uint8Array | undefined {
  const key = fromBase64(base64);
  return key?.length === keyBytes ? key : undefined;
}

function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  // Node skips what is not base64; what does not come back the same was not all base64.
  return bytes.toString('base64') === text ? bytes : undefined;
}
