import { nameKey } from '#shared/config/names';
import { everyAspect } from '../limits.ts';
import type { StoredCredential } from '../vault-store.ts';

/** Why an aspect may not read a credential, in the order of the checks (auth spec §10.5). */
export type Denial = 'unknown' | 'not_allowed' | 'other_kind' | 'proxy_only';

/** What decides; nothing of it is secret. */
export type Judged = Pick<StoredCredential, 'allowedAspects' | 'kind' | 'mode'>;

/**
 * Whether an aspect may read a credential, of a kind if it asks for one. Whoever is not on the list
 * learns nothing of kind and mode: those are looked at last.
 */
export function denialOf(
  credential: Judged | undefined,
  aspect: string,
  kind?: string,
): Denial | undefined {
  if (!credential) return 'unknown';
  const { allowedAspects, mode } = credential;
  const key = nameKey(aspect);
  if (!allowedAspects.some((name) => name === everyAspect || nameKey(name) === key)) {
    return 'not_allowed';
  }
  if (kind !== undefined && kind !== credential.kind) return 'other_kind';
  return mode === 'proxy' ? 'proxy_only' : undefined;
}
