import type { FileFacts } from '../files/events.ts';

export const chatPosted = 'chat.posted';
export const chatReacted = 'chat.reacted';

/** Somebody (the actor) said something. Its position is the message's id. */
export interface ChatPosted {
  readonly kind: typeof chatPosted;
  readonly body: {
    readonly content: string;
    readonly replyTo?: number;
    /** Who wrote the message it replies to: decides who is addressed. */
    readonly replyAuthor?: string;
    /** Absent at top level, where the message roots its own thread. */
    readonly threadRoot?: number;
    readonly topic?: string;
    /** Idempotency key of the sender. */
    readonly key?: string;
    /** A `reply_to` that named no message; the post was taken as top-level. */
    readonly unknownReplyTo?: number;
    /** The file that it announces. */
    readonly file?: FileFacts;
  };
}

/** Somebody set (`added`) or took back their one reaction to a message. */
export interface ChatReacted {
  readonly kind: typeof chatReacted;
  readonly body: {
    readonly msgId: number;
    readonly emoji: string;
    readonly op: 'added' | 'removed';
  };
}

export type ChatEvent = ChatPosted | ChatReacted;
