import { nameKey } from '#shared/config/names';
import { ChatDeliver, ChatReactionUpdate, type ChatSend } from '#shared/frames/chat';
import { encodeFrame } from '#shared/frames/envelope';
import { FrameRefused } from '#shared/frames/errors';
import { OutboundFrame } from '#shared/transport/frame-batch';
import type { Connection } from '../broker/connection.ts';
import { type Hub, isBehindOutpost, pushTo } from '../broker/hub.ts';
import { speakerOf } from '../broker/speaker.ts';
import { operatorName } from '../credentials/identity.ts';
import type { FileFacts } from '../files/events.ts';
import type { Journal, JournalEvent } from '../journal/journal.ts';
import { wireTime } from '../storage/sql-time.ts';
import type { ChatStore } from './chat-store.ts';
import {
  type ChatEvent,
  type ChatPosted,
  type ChatReacted,
  chatPosted,
  chatReacted,
} from './events.ts';
import { type ChatMessage, toDeliver } from './message.ts';
import { type Audience, mentionsIn, recipientsOf } from './recipients.ts';

export interface ChatServiceDeps {
  readonly journal: Journal;
  readonly store: ChatStore;
  readonly hub: Hub;
  /** The coordinator's name, if this instance has one. */
  readonly frameName?: string | undefined;
  /** A known aspect's name as its owner spells it, connected or not. */
  findName(name: string): string | undefined;
  /** Bytes of a message's content; a deliver must stay well below the 1 MiB frame (G11). */
  readonly maxContentBytes?: number;
}

/** Told of each committed message and whom it is for. Must be quick, and must not throw. */
export type PostedListener = (message: ChatMessage, recipients: readonly string[]) => void;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What a sender learns once its message is on disk. */
export interface Sent {
  readonly id: number;
  readonly threadRoot: number;
  readonly unknownReplyTo?: number | undefined;
}

/** Posts, delivers and reacts. Delivery follows from committed events, whoever appended them. */
export class ChatService {
  readonly audience: Audience;
  readonly #deps: ChatServiceDeps;
  readonly #maxContentBytes: number;
  /** Sends under way by idempotency key, so that a retry does not race its original. */
  readonly #underWay = new Map<string, Promise<Sent>>();
  readonly #postedListeners: PostedListener[] = [];

  constructor(deps: ChatServiceDeps) {
    this.#deps = deps;
    this.#maxContentBytes = deps.maxContentBytes ?? 256 * 1024;
    const { hub, frameName: frame } = deps;
    this.audience = {
      resolve: (name) => hub.find(name)?.name ?? deps.findName(name),
      everybody: () => [...hub.routes()].map((route) => route.name),
      ...(frame && { frame }),
      operator: operatorName,
    };
    deps.journal.onCommit((events) => this.#deliver(events));
  }

  onPosted(listener: PostedListener): void {
    this.#postedListeners.push(listener);
  }

  /** Records a message. Throws `FrameRefused` for what cannot be taken. */
  post(connection: Connection, send: ChatSend): Promise<Sent> {
    const sender = speakerOf(connection, send.from);
    this.#assertFits(send.content);
    const key = send.idempotency_key;
    return key ? this.#postOnce(sender, key, send) : this.#append(sender, send);
  }

  /** Records a message that tells of a file: one event, so neither is ever without the other. */
  async announce(sender: string, content: string, file: FileFacts): Promise<Sent> {
    this.#assertFits(content);
    return this.#append(sender, { content }, file);
  }

  /** Says something to one aspect as the operator. Throws `FrameRefused` when nobody is called so. */
  say(connection: Connection, aspect: string, words: string): Promise<Sent> {
    const name = this.audience.resolve(aspect);
    if (!name) throw new FrameRefused('not_found', `there is no aspect ${aspect}`);
    const text = words.trim();
    if (!text) throw new FrameRefused('bad_request', 'aspect.say: content is empty');
    const addressed = mentionsIn(text)[0];
    const begins = text.startsWith(`@${addressed}`) && nameKey(addressed ?? '') === nameKey(name);
    return this.post(connection, { content: begins ? text : `@${name} ${text}` });
  }

  /** Sets, changes or (the same emoji again) takes back the caller's reaction. */
  async react(connection: Connection, msgId: number, emoji: string, from?: string): Promise<void> {
    const { store, journal } = this.#deps;
    const reactor = speakerOf(connection, from);
    if (!store.find(msgId)) throw new FrameRefused('not_found', `there is no message ${msgId}`);
    const present = store.reactionsTo(msgId).find((reaction) => reaction.aspect === reactor);
    const op = present?.emoji === emoji ? 'removed' : 'added';
    const body: ChatReacted['body'] = { msgId, emoji, op };
    await journal.append({ kind: chatReacted, actor: reactor, body });
  }

  #assertFits(content: string): void {
    if (!this.#isTooLong(content)) return;
    throw new FrameRefused('too_large', `a message may have ${this.#maxContentBytes} bytes`);
  }

  /** As the wire has it: an escaped control character takes six times the room. */
  #isTooLong(content: string): boolean {
    const bytes = Buffer.byteLength(content);
    if (bytes * 6 <= 2 * this.#maxContentBytes) return false;
    if (bytes > this.#maxContentBytes) return true;
    return Buffer.byteLength(JSON.stringify(content)) > 2 * this.#maxContentBytes;
  }

  #postOnce(sender: string, key: string, send: ChatSend): Promise<Sent> {
    const before = this.#deps.store.findByKey(sender, key);
    if (before) return Promise.resolve(before);
    const mapKey = `${sender}\n${key}`;
    const underWay = this.#underWay.get(mapKey);
    if (underWay !== undefined) return underWay;
    const sent = this.#append(sender, send).finally(() => this.#underWay.delete(mapKey));
    this.#underWay.set(mapKey, sent);
    return sent;
  }

  /** One promise and plain members: every message of the room comes through here. */
  #append(sender: string, send: ChatSend, file?: FileFacts): Promise<Sent> {
    const { content, reply_to, topic, idempotency_key: key } = send;
    const body: Mutable<ChatPosted['body']> = { content };
    if (topic) body.topic = topic;
    if (key) body.key = key;
    if (file) body.file = file;
    if (reply_to) {
      const target = this.#deps.store.find(reply_to);
      if (target) {
        body.replyTo = target.id;
        body.replyAuthor = target.from;
        body.threadRoot = target.threadRoot;
      } else {
        body.unknownReplyTo = reply_to;
      }
    }
    return this.#deps.journal
      .append({ kind: chatPosted, actor: sender, body })
      .then(({ position }) => ({
        id: position,
        threadRoot: body.threadRoot ?? position,
        unknownReplyTo: body.unknownReplyTo,
      }));
  }

  #deliver(events: readonly JournalEvent[]): void {
    for (const event of events as readonly (JournalEvent & ChatEvent)[]) {
      if (event.kind === chatPosted) this.#deliverMessage(messageOf(event));
      else if (event.kind === chatReacted) this.#announceReaction(event);
    }
  }

  /** Encodes once, for everybody. */
  #deliverMessage(message: ChatMessage): void {
    const { hub } = this.#deps;
    const recipients = recipientsOf(message, this.audience);
    for (const listener of this.#postedListeners) listener(message, recipients);
    if (recipients.length === 0 && !hub.hasSubscribers('chat')) return;
    const payload = toDeliver(message);
    const frame = new OutboundFrame(encodeFrame(ChatDeliver.kind, payload));
    for (const name of recipients) {
      const route = hub.find(name);
      if (!route?.live) continue;
      if (isBehindOutpost(route)) pushTo(route, ChatDeliver, payload);
      else route.connection.send(frame);
    }
    hub.publish('chat', frame);
  }

  #announceReaction({ actor, body }: JournalEvent & ChatReacted): void {
    const { hub, store } = this.#deps;
    if (!hub.hasSubscribers('chat')) return;
    const update: ChatReactionUpdate = {
      msg_id: body.msgId,
      reactor: actor,
      emoji: body.emoji,
      op: body.op,
      reactions: store.reactionsTo(body.msgId),
    };
    hub.publish('chat', new OutboundFrame(encodeFrame(ChatReactionUpdate.kind, update)));
  }
}

function messageOf(event: JournalEvent & ChatPosted): ChatMessage {
  const { content, replyTo, replyAuthor, threadRoot, topic, file } = event.body;
  return {
    id: event.position,
    from: event.actor,
    content,
    threadRoot: threadRoot ?? event.position,
    replyTo,
    replyAuthor,
    topic,
    filePath: file?.path,
    receivedAt: wireTime(event.at),
  };
}
