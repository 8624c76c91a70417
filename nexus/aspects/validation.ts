import { timingSafeEqual } from 'node:crypto';
import { publicKeyOf, type SigningPair } from '#shared/crypto/ed25519-keys';
import { openPayload, parseKey, parsePayload } from '#shared/crypto/keyfile-payload';
import type { AspectRecord } from './aspect-store.ts';
import { KeyfileRefused } from './errors.ts';
import type { AspectRegistry } from './registry.ts';

export interface ValidationDeps {
  readonly registry: AspectRegistry;
  readonly serverKeys: SigningPair;
  readonly nexusId: string;
}

/**
 * Whose keyfile this is, from its sealed payload. Throws `KeyfileRefused`; the checks and their
 * order are the reference's (auth spec §5), which did not compare the payload's `nexus_id`.
 */
export function validateKeyfile(encrypted: string, deps: ValidationDeps): AspectRecord {
  const opened = openPayload(encrypted, deps.serverKeys);
  if (opened === undefined) throw new KeyfileRefused('keyfile.undecryptable', 'decryption failed');
  const payload = parsePayload(opened);
  if (!payload || payload.nexus_id !== deps.nexusId) throw malformed();
  const record = deps.registry.find(payload.aspect_name);
  if (!record) throw new KeyfileRefused('keyfile.unknown_aspect', 'unknown aspect');
  if (record.status === 'retired') throw new KeyfileRefused('keyfile.retired', 'retired');
  if (payload.keyfile_version !== record.version) {
    throw new KeyfileRefused('keyfile.revoked', 'revoked', record.version);
  }
  const seed = parseKey(payload.aspect_privkey);
  if (!seed) throw malformed();
  if (!timingSafeEqual(publicKeyOf(seed), record.publicKey)) {
    throw new KeyfileRefused('keyfile.key_mismatch', 'key mismatch');
  }
  return record;
}

const malformed = () => new KeyfileRefused('keyfile.malformed', 'payload malformed');
