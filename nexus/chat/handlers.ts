import {
  AspectSay,
  ChatList,
  ChatReaction,
  ChatReactionsFetch,
  type ChatReactionsFetchResult,
  ChatRead,
  ChatReplies,
  ChatSend,
  type ChatSendResult,
  ReactTo,
} from '#shared/frames/chat';
import type { PayloadOf } from '#shared/frames/define';
import { FrameRefused } from '#shared/frames/errors';
import { SubscribeChat, UnsubscribeChat } from '#shared/frames/subscriptions';
import { type Handler, reads, writes } from '../broker/handler.ts';
import type { Hub } from '../broker/hub.ts';
import { takePage } from '../broker/page.ts';
import type { ChatService, Sent } from './chat-service.ts';
import type { ChatStore } from './chat-store.ts';
import { toListed } from './message.ts';

const maxThreadMessages = 200;
const maxReplies = 500;
const defaultPage = 100;
const maxPage = 500;

/** The chat frames. */
export function chatHandlers(chat: ChatService, store: ChatStore, hub: Hub): Handler[] {
  return [
    writes(ChatSend, (payload, connection) => chat.post(connection, payload).then(toResult)),

    // Toggling depends on what this connection did just before, hence the order of a read.
    reads(ChatReaction, async (payload, connection) => {
      await chat.react(connection, payload.msg_id, payload.emoji, payload.from);
      return undefined;
    }),

    reads(ReactTo, async ({ msg_id, emoji, from }, connection) => {
      await chat.react(connection, msg_id, emoji, from);
      return { msg_id, reactions: store.reactionsTo(msg_id) };
    }),

    writes(AspectSay, ({ aspect, content }, connection) =>
      chat.say(connection, aspect, content).then(({ id }) => ({ msg_id: id })),
    ),

    reads(ChatReplies, ({ parent_id, since_id = 0 }) => {
      const below = store.subtree(parent_id, Math.max(parent_id, since_id), maxReplies + 1);
      const { rows, hasMore } = takePage(below.map(toListed), maxReplies);
      return { parent_id, messages: rows, ...(hasMore && { has_more: true }) };
    }),

    reads(ChatReactionsFetch, ({ msg_ids }) => {
      const reactions: PayloadOf<typeof ChatReactionsFetchResult>['reactions'] = {};
      for (const [msgId, of] of store.reactionsToAll(msg_ids)) reactions[msgId] = of;
      return { reactions };
    }),

    reads(ChatRead, (payload) => {
      const { thread_id, msg_id, since_id } = (payload ?? {}) as Record<string, unknown>;
      const rootId = positive(thread_id) ?? positive(msg_id);
      if (rootId === undefined) return { messages: null };
      const messages = store.subtree(rootId, positive(since_id) ?? 0, maxThreadMessages);
      return { messages: takePage(messages.map(toListed), maxThreadMessages).rows };
    }),

    reads(ChatList, ({ after_id, before_id, limit }) => {
      if (after_id !== undefined && before_id !== undefined) {
        throw new FrameRefused('bad_request', 'chat.list takes after_id or before_id, not both');
      }
      const page = store.page({
        after: after_id,
        before: before_id,
        limit: Math.min(limit || defaultPage, maxPage),
      });
      // Cut on the side where the next page continues.
      const newestFirst = after_id === undefined;
      const listed = page.messages.map(toListed);
      const { rows, hasMore } = takePage(newestFirst ? listed.reverse() : listed, maxPage);
      if (newestFirst) rows.reverse();
      return { messages: rows, has_more: page.hasMore || hasMore };
    }),

    reads(SubscribeChat, (_, connection) => {
      hub.subscribe('chat', connection);
      return { kind: SubscribeChat.kind };
    }),

    reads(UnsubscribeChat, (_, connection) => {
      hub.unsubscribe('chat', connection);
      return { kind: UnsubscribeChat.kind };
    }),
  ];
}

function toResult({ id, threadRoot, unknownReplyTo }: Sent): PayloadOf<typeof ChatSendResult> {
  const result = { msg_id: id, thread_root: threadRoot };
  if (unknownReplyTo === undefined) return result;
  return { ...result, note: `there is no message ${unknownReplyTo}; posted at top level` };
}

const positive = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
