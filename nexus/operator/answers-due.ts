import { nameKey } from '#shared/config/names';
import type { ChatDeliver, ChatReactionUpdate } from '#shared/frames/chat';
import type { RosterRow, RosterUpdate } from '#shared/frames/roster';
import { type Audience, recipientsOf } from '../chat/recipients.ts';
import { operatorName } from '../credentials/identity.ts';

/** Reactions that end a turn without a reply: nothing to say, gave up. */
const endings: ReadonlySet<string> = new Set(['👍', '🙊']);

/**
 * Who still owes an answer in the threads that are followed. Whoever a message addresses owes one,
 * by the room's own rules, and settles it with a reply, with an ending reaction, or by going away.
 */
export class AnswersDue {
  readonly #roster: Map<string, RosterRow>;
  readonly #threads = new Set<number>();
  readonly #authors = new Map<number, string>();
  readonly #due = new Map<string, { readonly name: string; readonly msgId: number }>();

  constructor(roster: readonly RosterRow[]) {
    this.#roster = new Map(roster.map((row) => [nameKey(row.name), row]));
  }

  /** Those who owe an answer, by name, each once. */
  get names(): string[] {
    return [...new Set([...this.#due.values()].map(({ name }) => name))].sort();
  }

  /** Starts following the thread of a message. Its own delivery comes through `delivered`. */
  follow(threadRoot: number): void {
    this.#threads.add(threadRoot);
  }

  /** A message came; true when it belongs to a followed thread. */
  delivered({ id, from, content, reply_to, thread_root = id }: ChatDeliver): boolean {
    if (!this.#threads.has(thread_root)) return false;
    this.#authors.set(id, from);
    if (reply_to) this.#settle(from, reply_to);
    const replyAuthor = reply_to ? this.#authors.get(reply_to) : undefined;
    const post = { from, content, replyTo: reply_to, replyAuthor };
    for (const name of recipientsOf(post, this.#audience())) {
      if (this.#isLive(name)) this.#due.set(dueKey(name, id), { name, msgId: id });
    }
    return true;
  }

  reacted({ reactor, msg_id, emoji, op }: ChatReactionUpdate): void {
    if (op === 'added' && endings.has(emoji)) this.#settle(reactor, msg_id);
  }

  /** Somebody came or went. Returns the name of one who left with answers due. */
  rosterChanged({ aspect, reason: _, ...row }: RosterUpdate): string | undefined {
    this.#roster.set(nameKey(aspect), {
      ...this.#roster.get(nameKey(aspect)),
      ...row,
      name: aspect,
    });
    if (row.status === 'live') return undefined;
    const before = this.#due.size;
    for (const [key, { name }] of this.#due) if (name === aspect) this.#due.delete(key);
    return this.#due.size < before ? aspect : undefined;
  }

  #settle(name: string, msgId: number): void {
    this.#due.delete(dueKey(name, msgId));
  }

  #isLive(name: string): boolean {
    return this.#roster.get(nameKey(name))?.status === 'live';
  }

  #audience(): Audience {
    const rows = [...this.#roster.values()];
    return {
      resolve: (name) => this.#roster.get(nameKey(name))?.name,
      everybody: () => rows.map(({ name }) => name),
      frame: rows.find(({ role }) => role === 'frame')?.name,
      operator: operatorName,
    };
  }
}

const dueKey = (name: string, msgId: number): string => `${nameKey(name)} ${msgId}`;
