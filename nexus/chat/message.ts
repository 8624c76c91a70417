import type { ChatDeliver } from '#shared/frames/chat';

/** A stored chat message. */
export interface ChatMessage {
  /** Its position in the journal, and the reader's replay cursor. */
  readonly id: number;
  readonly from: string;
  readonly content: string;
  /** The message that roots its thread; its own id at top level. */
  readonly threadRoot: number;
  readonly replyTo?: number | undefined;
  /** Who wrote the message it replies to. */
  readonly replyAuthor?: string | undefined;
  readonly topic?: string | undefined;
  /** Path of the file that it announces; the file's id is the message's. */
  readonly filePath?: string | undefined;
  /** Seconds precision, RFC 3339. */
  readonly receivedAt: string;
  /** Descendants; known in lists only. */
  readonly replyCount?: number | undefined;
}

/** A message as lists show it. */
export function toListed(message: ChatMessage): ChatDeliver {
  return {
    id: message.id,
    from: message.from,
    content: message.content,
    received_at: message.receivedAt,
    thread_root: message.threadRoot,
    ...(message.replyTo && { reply_to: message.replyTo }),
    ...(message.topic && { topic: message.topic }),
    ...(message.filePath && { file: { id: message.id, path: message.filePath } }),
    ...(message.replyCount !== undefined && { reply_count: message.replyCount }),
  };
}

/** A message on its way to a reader (wire spec §4.1). */
export function toDeliver(message: ChatMessage): ChatDeliver {
  return { ...toListed(message), reason: message.replyTo ? 'reply' : 'mention' };
}

/** A message that a reader missed. */
export function toReplay(message: ChatMessage): ChatDeliver {
  return { ...toListed(message), reason: 'replay', replay: true };
}
