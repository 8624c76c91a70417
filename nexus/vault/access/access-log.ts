import type { Journal } from '../../journal/journal.ts';
import { type AccessEntry, type CredentialAccessed, credentialAccessed } from '../events.ts';

/** The record of who was given which credential, and who was refused. */
export class AccessLog {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Rejects when it cannot be recorded; then nothing may be handed out (auth spec §14 C5). */
  async record(
    aspect: string,
    action: CredentialAccessed['body']['action'],
    entries: readonly AccessEntry[],
  ): Promise<void> {
    const body: CredentialAccessed['body'] = { action, entries };
    await this.#journal.append({ kind: credentialAccessed, actor: aspect, body });
  }
}
