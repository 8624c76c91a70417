import { Type } from 'typebox';
import { defineFrame, type PayloadOf } from './define.ts';

const messageId = Type.Integer({ minimum: 1 });

/** Why a message reached its reader. `replay` marks one that was missed and is caught up on. */
const Reason = Type.Union([
  Type.Literal(''),
  Type.Literal('mention'),
  Type.Literal('reply'),
  Type.Literal('replay'),
]);

/** A chat message on its way to a reader (§4.1). */
export const ChatDeliver = defineFrame({
  kind: 'chat.deliver',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    id: messageId,
    from: Type.String(),
    content: Type.String(),
    received_at: Type.String(),
    reason: Type.Optional(Reason),
    reply_to: Type.Optional(messageId),
    topic: Type.Optional(Type.String()),
    thread_root: Type.Optional(messageId),
    replay: Type.Optional(Type.Boolean()),
    reply_count: Type.Optional(Type.Integer()),
    /** Ours: the file that it announces. */
    file: Type.Optional(Type.Object({ id: messageId, path: Type.String() })),
  }),
});
export type ChatDeliver = PayloadOf<typeof ChatDeliver>;

/** Ours: ends a replay. Everything up to `up_to_id` that was addressed to the reader was sent. */
export const ChatReplayEnd = defineFrame({
  kind: 'chat.replay.end',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({ aspect: Type.String(), up_to_id: Type.Integer() }),
});

/** Ours: tells the sender that the message is on disk, and under which id. */
export const ChatSendResult = defineFrame({
  kind: 'chat.send.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    msg_id: messageId,
    thread_root: messageId,
    /** Set when something was changed on the way in, such as an unknown `reply_to`. */
    note: Type.Optional(Type.String()),
  }),
});

/**
 * Posts a chat message. Answered once it is durable, and only when the request carries an `id`;
 * without one it is fire and forget, as reference clients expect (§4.4).
 */
export const ChatSend = defineFrame({
  kind: 'chat.send',
  from: ['aspect', 'operator', 'outpost'],
  reply: ChatSendResult,
  replyNeedsId: true,
  payload: Type.Object({
    content: Type.String({ minLength: 1 }),
    /** Stamped from the connection; a different name is refused (G1). */
    from: Type.Optional(Type.String()),
    reply_to: Type.Optional(Type.Integer({ minimum: 0 })),
    topic: Type.Optional(Type.String({ maxLength: 200 })),
    /** Ours: a second send with the same key by the same sender returns the first one's id. */
    idempotency_key: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  }),
});
export type ChatSend = PayloadOf<typeof ChatSend>;

export const ChatReadResult = defineFrame({
  kind: 'chat.read.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    messages: Type.Optional(Type.Union([Type.Array(ChatDeliver.payload), Type.Null()])),
  }),
});

/**
 * Reads a message and all its descendants, ascending, at most 200. Never refused: a missing or
 * unusable argument reads as `messages: null`, so the schema accepts anything (§3.3).
 */
export const ChatRead = defineFrame({
  kind: 'chat.read',
  from: ['aspect', 'operator', 'outpost'],
  reply: ChatReadResult,
  effect: 'reads',
  payload: Type.Unknown(),
});

export const ChatListResult = defineFrame({
  kind: 'chat.list.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({ messages: Type.Array(ChatDeliver.payload), has_more: Type.Boolean() }),
});

/** Reads a page of the whole room, oldest first (§4.5). */
export const ChatList = defineFrame({
  kind: 'chat.list',
  from: ['operator'],
  reply: ChatListResult,
  effect: 'reads',
  payload: Type.Object({
    after_id: Type.Optional(Type.Integer({ minimum: 0 })),
    before_id: Type.Optional(Type.Integer({ minimum: 0 })),
    limit: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
});

export const ChatRepliesResult = defineFrame({
  kind: 'chat.replies.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    parent_id: messageId,
    messages: Type.Array(ChatDeliver.payload),
    /** Ours: the subtree goes on beyond what one answer holds. */
    has_more: Type.Optional(Type.Boolean()),
  }),
});

/** Reads everything below a message, without the message, ascending (§3.5). */
export const ChatReplies = defineFrame({
  kind: 'chat.replies',
  from: ['operator'],
  reply: ChatRepliesResult,
  effect: 'reads',
  payload: Type.Object({
    parent_id: messageId,
    /** Ours: only what is above this id. */
    since_id: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
});

/** One reader's reaction to a message. */
const Reaction = Type.Object({ aspect: Type.String(), emoji: Type.String() });

export const ChatReactionsFetchResult = defineFrame({
  kind: 'chat.reactions.fetch.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    /** By message id; messages without reactions have no key. */
    reactions: Type.Record(Type.String(), Type.Array(Reaction)),
  }),
});

/** Reads the reactions to up to 500 messages. */
export const ChatReactionsFetch = defineFrame({
  kind: 'chat.reactions.fetch',
  from: ['operator'],
  reply: ChatReactionsFetchResult,
  effect: 'reads',
  payload: Type.Object({ msg_ids: Type.Array(messageId, { maxItems: 500 }) }),
});

export const AspectSayResult = defineFrame({
  kind: 'aspect.say.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({ msg_id: messageId }),
});

/** Says something to one aspect, as the operator, at top level. */
export const AspectSay = defineFrame({
  kind: 'aspect.say',
  from: ['operator'],
  reply: AspectSayResult,
  payload: Type.Object({
    aspect: Type.String({ minLength: 1 }),
    content: Type.String({ minLength: 1 }),
  }),
});

const ReactionRequest = Type.Object({
  msg_id: messageId,
  emoji: Type.String({ minLength: 1, maxLength: 64 }),
  from: Type.Optional(Type.String()),
});

/** Adds, changes or removes one's own emoji on a message: the same emoji again removes it (§4.6). */
export const ChatReaction = defineFrame({
  kind: 'chat.reaction',
  from: ['aspect', 'operator', 'outpost'],
  reply: 'none',
  payload: ReactionRequest,
});

export const ReactToResult = defineFrame({
  kind: 'react_to.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({ msg_id: messageId, reactions: Type.Array(Reaction) }),
});

/** `chat.reaction` with an answer, under the name that the reference's page uses (G6). */
export const ReactTo = defineFrame({
  kind: 'react_to',
  from: ['aspect', 'operator', 'outpost'],
  reply: ReactToResult,
  payload: ReactionRequest,
});

/** A reaction changed. `reactions` is the full current list of the message. */
export const ChatReactionUpdate = defineFrame({
  kind: 'chat.reaction.update',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    msg_id: messageId,
    reactor: Type.String(),
    emoji: Type.String(),
    op: Type.Union([Type.Literal('added'), Type.Literal('removed')]),
    reactions: Type.Array(Reaction),
  }),
});
export type ChatReactionUpdate = PayloadOf<typeof ChatReactionUpdate>;
