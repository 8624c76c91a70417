import { Type } from 'typebox';
import { defineFrame, type PayloadOf } from './define.ts';

const fileId = Type.Integer({ minimum: 1 });

/** Lower-case hex. */
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** `type/subtype`, with plain parameters if any. */
const MimeType = Type.String({
  maxLength: 127,
  pattern: '^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(; ?[A-Za-z0-9-]+=[A-Za-z0-9_.+-]+)*$',
});

/** What both ways of giving a file say of it. All but the path is ours. */
const offer = {
  from: Type.Optional(Type.String()),
  path: Type.String(),
  mime_type: Type.Optional(MimeType),
  /** Of the bytes; whatever arrives with another hash is refused. */
  sha256: Type.Optional(Sha256),
  /** The bytes, when they fit a frame; larger files are uploaded over REST. */
  content_base64: Type.Optional(Type.String()),
};

/** Tells the id of what was announced (`msg_id`) or shared (`share_id`): exactly one of them. */
export const FileResult = defineFrame({
  kind: 'file.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    msg_id: Type.Optional(fileId),
    share_id: Type.Optional(fileId),
    /** Ours: set when something is not as the sender may think, such as an unknown recipient. */
    note: Type.Optional(Type.String()),
  }),
});

/** Tells everybody of a file, in a chat message whose content is the description. */
export const AnnounceFile = defineFrame({
  kind: 'announce_file',
  from: ['aspect', 'operator', 'outpost'],
  reply: FileResult,
  payload: Type.Object({ ...offer, description: Type.String({ minLength: 1 }) }),
});
export type AnnounceFile = PayloadOf<typeof AnnounceFile>;

/** Gives a file to some, without a chat message. */
export const ShareFile = defineFrame({
  kind: 'share_file',
  from: ['aspect', 'operator', 'outpost'],
  reply: FileResult,
  payload: Type.Object({
    ...offer,
    recipients: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
      minItems: 1,
      maxItems: 64,
    }),
    /** Ours. */
    description: Type.Optional(Type.String({ maxLength: 4096 })),
  }),
});
export type ShareFile = PayloadOf<typeof ShareFile>;

const sharedFile = {
  /** For an announced file also the id of its message. */
  id: fileId,
  path: Type.String(),
  /** Whether `path` is relative to its owner's home. If not it is no more than a label. */
  home_relative: Type.Boolean(),
  shared_by: Type.String(),
  created_at: Type.String(),
  description: Type.Optional(Type.String()),
  /** Absent when it was announced to everybody. */
  recipients: Type.Optional(Type.Array(Type.String())),
  mime_type: Type.Optional(Type.String()),
  /** Set once the broker has the bytes. */
  size: Type.Optional(Type.Integer()),
  sha256: Type.Optional(Type.String()),
};

/** A file as those who may see it do. */
export const SharedFile = Type.Object(sharedFile);

/** Ours: a file was shared with the reader, or its bytes have arrived since. */
export const SharedNotify = defineFrame({
  kind: 'shared.notify',
  from: ['broker'],
  reply: 'none',
  payload: SharedFile,
});
export type SharedNotify = PayloadOf<typeof SharedNotify>;

export const SharedListResult = defineFrame({
  kind: 'shared.list.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({ files: Type.Array(SharedFile), has_more: Type.Boolean() }),
});

/** Ours: reads a page of the files that the reader may see, newest first. */
export const SharedList = defineFrame({
  kind: 'shared.list',
  from: ['aspect', 'operator', 'outpost'],
  reply: SharedListResult,
  effect: 'reads',
  payload: Type.Object({
    from: Type.Optional(Type.String()),
    owner: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 0 })),
    before_id: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
});

export const SharedGetResult = defineFrame({
  kind: 'shared.get.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({
    ...sharedFile,
    content_base64: Type.Optional(Type.String()),
    /** Where to get bytes that do not fit a frame: a path on this broker. */
    content_url: Type.Optional(Type.String()),
  }),
});

const oneFile = Type.Object({ from: Type.Optional(Type.String()), id: fileId });

/** Ours: reads one file, with its bytes if the broker has them and they fit. */
export const SharedGet = defineFrame({
  kind: 'shared.get',
  from: ['aspect', 'operator', 'outpost'],
  reply: SharedGetResult,
  effect: 'reads',
  payload: oneFile,
});

export const SharedDeleteResult = defineFrame({
  kind: 'shared.delete.result',
  from: ['broker'],
  reply: 'none',
  payload: Type.Object({ id: fileId }),
});

/** Ours: takes a file back, bytes and all. Its owner and operators may; a chat message stays. */
export const SharedDelete = defineFrame({
  kind: 'shared.delete',
  from: ['aspect', 'operator', 'outpost'],
  reply: SharedDeleteResult,
  payload: oneFile,
});
