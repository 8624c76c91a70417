import type { AspectHome } from '#shared/config/aspect-json';
import { NexusError } from '#shared/errors';
import { type ChatDeliver, ChatReaction, ChatSend } from '#shared/frames/chat';
import type { FrameDefinition, PayloadOf, ReplyOf } from '#shared/frames/define';
import { isPassing } from '#shared/frames/errors';
import { sleep } from '#shared/sys/clock';
import { RequestRefused } from '#shared/transport/errors';
import { ProviderError } from '../providers/provider.ts';
import { type SessionKey, threadKey } from '../session/session-key.ts';
import type { SessionStore } from '../session/session-store.ts';
import type { SessionTree } from '../session/session-tree.ts';
import { type DeliberationDeps, deliberate, passOver } from './deliberation.ts';
import type { SystemPrompt } from './prompt.ts';
import { repliesSinceOperator } from './reply-limit.ts';

/** Waits between the tries of one message (runtime spec §6); then one notice goes out. */
const retryWaitsMs = [2_000, 8_000, 30_000] as const;

/** What a turn looks like from outside: started, nothing to say (§7.5). */
const started = '👀';
const nothingToSay = '👍';
const gaveUp = '🙊';

/** The human's name on the wire. */
const operator = 'operator';

/** The funnel's way to the room. */
export interface Room {
  /** Resolves once the broker has answered, over reconnects too. */
  request<D extends FrameDefinition>(definition: D, payload: PayloadOf<D>): Promise<ReplyOf<D>>;
  /** May be lost. */
  send<D extends FrameDefinition>(definition: D, payload: PayloadOf<D>): void;
}

export interface FunnelDeps extends DeliberationDeps {
  readonly home: AspectHome;
  readonly sessions: SessionStore;
  readonly room: Room;
  /** Read anew for each message, so that an edited document counts from the next turn. */
  readonly prompt: () => Promise<SystemPrompt>;
  /** Own posts in a thread without a word from the operator. */
  readonly repliesPerThread: number;
  readonly signal: AbortSignal;
}

/** Turns one message into one deliberation and its outcome in the room. */
export class Funnel {
  readonly #deps: FunnelDeps;

  constructor(deps: FunnelDeps) {
    this.#deps = deps;
  }

  /**
   * Handles one message to the end: resolves when it was answered, passed over, or given up with
   * a notice. Rejects only when the aspect stops meanwhile, or cannot even say that it failed.
   */
  async handle(message: ChatDeliver): Promise<void> {
    const { sessions } = this.#deps;
    const key = this.#sessionOf(message);
    // Tried again inside the session: the messages behind this one wait for what becomes of it.
    await this.#persist(message, () =>
      sessions.withSession(key, (tree) => {
        const isNew = !hasTurnOf(message, tree);
        // Reactions toggle: a second one would take the first one back.
        if (isNew) this.#react(message, started);
        return this.#persist(message, () => this.#turn(message, tree));
      }),
    );
  }

  /** Tries, and tries again while that may help; then says in the thread that it failed. */
  async #persist(message: ChatDeliver, attempt: () => Promise<void>): Promise<void> {
    const { clock, log, signal } = this.#deps;
    for (const waitMs of [...retryWaitsMs, undefined]) {
      try {
        await attempt();
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        log.warn({ message: message.id, err: error }, 'turn failed');
        if (waitMs === undefined || !mayHelpToRetry(error)) {
          await this.#sayOnce(message, `failed:${message.id}`, failureNotice(error));
          return;
        }
        await sleep(clock, waitMs, signal);
      }
    }
  }

  #sessionOf({ id, thread_root }: ChatDeliver): SessionKey {
    const mode = this.#deps.home.config.context_mode;
    return mode === 'thread' ? threadKey(thread_root ?? id) : mode;
  }

  async #turn(message: ChatDeliver, tree: SessionTree): Promise<void> {
    const { repliesPerThread, log, signal } = this.#deps;
    const threadRoot = message.thread_root ?? message.id;
    const isNew = !hasTurnOf(message, tree);
    const replies = repliesSinceOperator(tree.path(), threadRoot, operator);
    if (isNew && message.from !== operator && replies >= repliesPerThread) {
      log.warn({ message: message.id, threadRoot }, 'reply limit reached');
      await passOver(message, tree, this.#deps);
      await this.#sayOnce(message, `limit:${threadRoot}`, replyLimitNotice(repliesPerThread));
      return;
    }
    const verdict = await deliberate(message, tree, await this.#deps.prompt(), this.#deps, signal);
    if (verdict.text.trim() === '') {
      this.#react(message, nothingToSay);
      return;
    }
    await this.#reply(message, verdict.text);
    this.#react(message, started);
  }

  /** The key makes the broker drop a second post of the same answer. */
  async #reply({ id }: ChatDeliver, content: string): Promise<void> {
    const idempotency_key = `reply:${id}`;
    await this.#deps.room.request(ChatSend, { content, reply_to: id, idempotency_key });
  }

  async #sayOnce({ id }: ChatDeliver, idempotency_key: string, content: string): Promise<void> {
    await this.#deps.room.request(ChatSend, { content, reply_to: id, idempotency_key });
    this.#deps.room.send(ChatReaction, { msg_id: id, emoji: gaveUp });
  }

  #react({ id }: ChatDeliver, emoji: string): void {
    this.#deps.room.send(ChatReaction, { msg_id: id, emoji });
  }
}

const hasTurnOf = ({ id }: ChatDeliver, tree: SessionTree): boolean =>
  tree.path().some(({ kind, payload }) => kind === 'turn.user' && payload.trigger.msgId === id);

/** A full disk may empty, here or at the broker, and a provider recover; a refusal stays one. */
function mayHelpToRetry(error: unknown): boolean {
  if (error instanceof ProviderError) return error.retryable;
  return !(error instanceof RequestRefused) || isPassing(error.code);
}

/** Codes only: what a provider wrote never crosses the wire. */
function failureNotice(error: unknown): string {
  const what = error instanceof ProviderError ? 'my model failed' : 'something in me failed';
  const code = error instanceof NexusError ? error.code : 'internal';
  return `I could not answer this: ${what} (${code}). My log has the details.`;
}

const replyLimitNotice = (limit: number): string =>
  `I have answered ${limit} times here without a word from the operator, so I wait for one.`;
