import { hash } from 'node:crypto';
import type { AspectRecord } from './aspect-store.ts';

/** An aspect as REST and the commands show it. */
export interface AspectView {
  readonly name: string;
  readonly status: 'active' | 'retired';
  readonly keyfile_version: number;
  /** False after it was resurrected, until a keyfile is minted. */
  readonly has_keyfile: boolean;
  /** The first 8 bytes of the SHA-256 of its public key, in hex. */
  readonly fingerprint: string;
  readonly provider: string;
  readonly model: string;
  readonly created_at: string;
  readonly updated_at: string;
}

/** What a mint answers, as the reference has it. */
export interface MintView {
  readonly name: string;
  readonly keyfile_version: number;
  readonly nexus_id: string;
  readonly server_pubkey_b64: string;
  readonly previously_existed: boolean;
}

export function aspectView(record: AspectRecord): AspectView {
  const { name, status, version, hasKeyfile, publicKey, provider, model } = record;
  return {
    name,
    status,
    keyfile_version: version,
    has_keyfile: hasKeyfile,
    fingerprint: hash('sha256', publicKey, 'hex').slice(0, 16),
    provider,
    model,
    created_at: rfc3339(record.createdAt),
    updated_at: rfc3339(record.updatedAt),
  };
}

const rfc3339 = (sqlTime: string): string => `${sqlTime.replace(' ', 'T')}Z`;
