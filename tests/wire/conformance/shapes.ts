import { filled, flag, integer, is, list, number, object, positive, text, time } from './shape.ts';

// The payloads of wire specification §3 and §4, spelt out.

/** Ours: the file that a message announces. */
const announced = object({ id: positive, path: filled });

/** A message as lists and reads show it: no `reason` (§3.3). */
export const listed = object({
  id: positive,
  from: filled,
  content: text,
  received_at: time,
  'reason?': is(''),
  'reply_to?': positive,
  'thread?': text,
  'topic?': text,
  'reply_count?': integer,
  'thread_root?': positive,
  'file?': announced,
});

export const delivered = object({
  id: positive,
  from: filled,
  content: text,
  received_at: time,
  reason: is('', 'mention', 'reply', 'replay'),
  'reply_to?': positive,
  'thread?': text,
  'topic?': text,
  'replay?': flag,
  'reply_count?': integer,
  'thread_root?': positive,
  'file?': announced,
});

export const sendResult = object({ msg_id: positive, thread_root: positive, 'note?': text });

const reaction = object({ aspect: filled, emoji: filled });
export const reactions = list(reaction);

export const reactionUpdate = object({
  msg_id: positive,
  reactor: filled,
  emoji: filled,
  op: is('added', 'removed'),
  reactions,
});

const rosterFields = {
  status: is('live', 'stale', 'down'),
  'last_seen?': time,
  'capabilities?': list(text),
  'model?': text,
  'provider?': text,
  'context_mode?': is('global', 'thread', 'stateless'),
};

export const rosterRow = object({
  name: filled,
  ...rosterFields,
  'role?': text,
  'outpost?': text,
  'primary_surface?': is('funnel', 'agora'),
});

export const rosterUpdate = object({
  aspect: filled,
  ...rosterFields,
  'primary_surface?': is('funnel', 'agora'),
  reason: is('connect', 'disconnect', 'status_change'),
});

export const subscribed = (kind: string) => object({ kind: is(kind), 'epoch?': filled });

export const knowledgeHit = object({
  id: positive,
  from_agent: filled,
  topic: filled,
  content: text,
  shared: flag,
  updated_at: text,
  score: number,
  matched: is('fts', ''),
});

export const observeFrame = object({
  aspect: filled,
  frame: object({
    kind: is('turn', 'chat', 'presence'),
    aspect: filled,
    seq: positive,
    ts: time,
    payload: (value) => (typeof value === 'object' && value !== null ? undefined : 'is no object'),
  }),
  'epoch?': filled,
});
