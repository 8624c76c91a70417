import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AspectJson, loadAspectHome } from '#shared/config/aspect-json';
import { type ChatDeliver, ChatReaction, type ChatSend } from '#shared/frames/chat';
import type { FrameDefinition, PayloadOf, ReplyOf } from '#shared/frames/define';
import { FakeClock } from '#shared/sys/fake-clock';
import { newUlid } from '#shared/sys/ids';
import { type Log, silentLog } from '#shared/sys/log';
import type { Delta, Provider, ProviderRequest } from '../providers/provider.ts';
import { SessionStore } from '../session/session-store.ts';
import { Funnel, type Room } from './funnel.ts';

// Only tests import this file.

/** What one request to the model comes to: text, a failure, some text and then a failure. */
export type Step = string | Error | readonly [string, Error] | Promise<string>;

/** Answers with one step after the other; with the last one for ever. */
export class ScriptedProvider implements Provider {
  readonly name = 'scripted';
  readonly defaultModel = 'scripted-1';
  readonly requests: ProviderRequest[] = [];
  readonly #steps: Step[];

  constructor(...steps: Step[]) {
    this.#steps = steps;
  }

  /** What every request said, role and text, as one would read it. */
  conversations(): string[][] {
    return this.requests.map(({ messages }) =>
      messages.flatMap(({ role, content }) => content.map(({ text }) => `${role}: ${text}`)),
    );
  }

  async *stream(request: ProviderRequest): AsyncGenerator<Delta, void, undefined> {
    this.requests.push(request);
    const step = (this.#steps.length > 1 ? this.#steps.shift() : this.#steps[0]) ?? '';
    if (step instanceof Error) throw step;
    const whole = typeof step === 'string' || step instanceof Promise;
    const [text, error] = whole ? [await this.#wait(step, request.signal)] : step;
    yield { type: 'text', text };
    if (error) throw error;
    const usage = { tokens: { in: 1, out: 1, cacheHit: 0, cacheFill: 0 } };
    yield { type: 'done', stopReason: 'end_turn', usage, model: this.defaultModel };
  }

  #wait(step: string | Promise<string>, signal: AbortSignal): Promise<string> {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    return Promise.race([step, aborted]);
  }
}

/** A room that keeps what it is told. */
export class RecordingRoom implements Room {
  readonly posts: ChatSend[] = [];
  readonly reactions: string[] = [];
  /** What the next posts are refused with. */
  readonly refusals: Error[] = [];

  async request<D extends FrameDefinition>(_: D, payload: PayloadOf<D>): Promise<ReplyOf<D>> {
    const refusal = this.refusals.shift();
    if (refusal) throw refusal;
    this.posts.push(payload as ChatSend);
    return { msg_id: 1000 + this.posts.length, thread_root: 1 } as ReplyOf<D>;
  }

  send<D extends FrameDefinition>(definition: D, payload: PayloadOf<D>): void {
    if (definition.kind !== ChatReaction.kind) return;
    const { msg_id, emoji } = payload as PayloadOf<typeof ChatReaction>;
    this.reactions.push(`${emoji} ${msg_id}`);
  }
}

export interface FunnelKit {
  readonly funnel: Funnel;
  readonly room: RecordingRoom;
  readonly clock: FakeClock;
  readonly sessions: SessionStore;
  readonly stop: AbortController;
  /** What was logged. */
  readonly logged: string[];
  /** Ends it as a crash would, between two steps. */
  close(): Promise<void>;
}

/** A funnel on the home in a folder. */
export async function openFunnel(
  home: string,
  provider: Provider,
  config: Partial<AspectJson> = {},
  prompt = 'Be wren.',
): Promise<FunnelKit> {
  const whole = { name: 'wren', context_mode: 'thread', ...config };
  writeFileSync(join(home, 'aspect.json'), JSON.stringify(whole));
  const clock = new FakeClock();
  const logged: string[] = [];
  const note = (facts: object | string, text = '') => void logged.push(text || String(facts));
  const log: Log = { ...silentLog, warn: note, error: note };
  const common = { clock, newId: newUlid, log };
  const sessions = await SessionStore.open(home, { aspect: 'wren', ...common });
  const room = new RecordingRoom();
  const stop = new AbortController();
  const funnel = new Funnel({
    ...common,
    home: loadAspectHome(home),
    provider,
    sessions,
    room,
    prompt: async () => ({ text: prompt, sha256: `hash of ${prompt}` }),
    turnTimeoutMs: 600_000,
    repliesPerThread: 3,
    signal: stop.signal,
  });
  const close = async () => {
    stop.abort(new Error('the test stops it'));
    await sessions.close();
  };
  return { funnel, room, clock, sessions, stop, logged, close };
}

export function messageOf(id: number, more: Partial<ChatDeliver> = {}): ChatDeliver {
  const content = `question ${id}`;
  return { id, from: 'operator', content, received_at: 'now', thread_root: id, ...more };
}
