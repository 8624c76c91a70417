/** Stores on their way to the disk: what the tables do not show yet. Bounded by the journal. */
export class PendingStores {
  readonly #byEntry = new Map<string, number>();
  readonly #newByOwner = new Map<string, number>();

  /** Whether this entry is being written. */
  has(owner: string, topic: string): boolean {
    return this.#byEntry.has(keyOf(owner, topic));
  }

  /** Entries of an owner that are being written for the first time. */
  countNew(owner: string): number {
    return this.#newByOwner.get(owner) ?? 0;
  }

  /** Call the returned function once the store is settled. */
  add(owner: string, topic: string, isNew: boolean): () => void {
    const key = keyOf(owner, topic);
    count(this.#byEntry, key, +1);
    if (isNew) count(this.#newByOwner, owner, +1);
    return () => {
      count(this.#byEntry, key, -1);
      if (isNew) count(this.#newByOwner, owner, -1);
    };
  }
}

/** A name has no newline, so that no two entries have one key. */
const keyOf = (owner: string, topic: string): string => `${owner}\n${topic}`;

function count(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const after = (counts.get(key) ?? 0) + change;
  if (after === 0) counts.delete(key);
  else counts.set(key, after);
}
