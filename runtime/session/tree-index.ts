import type { Entry, EntryOf } from './entry.ts';

interface Node {
  readonly entry: Entry;
  readonly parent: Node | undefined;
}

/** A tree's entries in memory. Holds only what is durable. */
export class TreeIndex {
  readonly #nodes = new Map<string, Node>();
  /** Turns by the chat message that triggered them. A message that is retried has several. */
  readonly #turnsOf = new Map<number, Set<string>>();
  /** The last word of each turn that has one. */
  readonly #finished = new Map<string, EntryOf<'turn.assistant'>>();

  get size(): number {
    return this.#nodes.size;
  }

  /**
   * Adds an entry. A parent that is not there (yet) makes it a root of its own, so no path can
   * run in a circle. False when the id is taken: the first one stays.
   */
  add(entry: Entry): boolean {
    if (this.#nodes.has(entry.id)) return false;
    const parent = entry.parentId === null ? undefined : this.#nodes.get(entry.parentId);
    this.#nodes.set(entry.id, { entry, parent });
    if (entry.kind === 'turn.user') this.#addTrigger(entry);
    if (entry.kind === 'turn.assistant' && isFinished(entry)) {
      this.#finished.set(entry.payload.turnId, entry);
    }
    return true;
  }

  find(id: string): Entry | undefined {
    return this.#nodes.get(id)?.entry;
  }

  /** From the root to `id`, both included. Empty when there is no such entry. */
  pathTo(id: string): Entry[] {
    const path: Entry[] = [];
    for (let node = this.#nodes.get(id); node; node = node.parent) path.push(node.entry);
    return path.reverse();
  }

  /** How the turn ended that a message triggered, on whichever branch. */
  findByTrigger(msgId: number): EntryOf<'turn.assistant'> | undefined {
    for (const turnId of this.#turnsOf.get(msgId) ?? []) {
      const answer = this.#finished.get(turnId);
      if (answer) return answer;
    }
    return undefined;
  }

  #addTrigger({ payload: { trigger, turnId } }: EntryOf<'turn.user'>): void {
    if (trigger.msgId === undefined) return;
    const turns = this.#turnsOf.get(trigger.msgId);
    if (turns) turns.add(turnId);
    else this.#turnsOf.set(trigger.msgId, new Set([turnId]));
  }
}

/** A failed turn is tried again, and tool calls or a pause are the middle of one. */
function isFinished({ payload: { stopReason, partial } }: EntryOf<'turn.assistant'>): boolean {
  const goesOn = stopReason === 'error' || stopReason === 'tool_use' || stopReason === 'pause';
  return !goesOn && !partial;
}
