import { FrameRefused } from '#shared/frames/errors';
import {
  AnnounceFile,
  SharedDelete,
  SharedGet,
  SharedList,
  type SharedNotify,
  ShareFile,
} from '#shared/frames/files';
import { type Handler, reads, writes } from '../broker/handler.ts';
import { takePage } from '../broker/page.ts';
import { speakerOf } from '../broker/speaker.ts';
import type { FileService, Given, Offer } from './file-service.ts';
import type { FileStore } from './file-store.ts';
import { contentPath, toShared } from './stored-file.ts';

const defaultPage = 50;
const maxPage = 200;

/** Bytes of an answer that carries a file's bytes: below the 1 MiB that readers accept. */
const maxAnswerBytes = 1_000_000;

/** The file frames. `inlineBytes` bounds what a frame may carry. */
export function fileHandlers(files: FileService, store: FileStore, inlineBytes: number): Handler[] {
  return [
    // Bytes are on disk before they are recorded. What follows waits, hence the order of a read.
    reads(AnnounceFile, async (payload, connection) => {
      const owner = speakerOf(connection, payload.from);
      const offer = offerIn(payload, inlineBytes);
      const given = await files.announce(owner, payload.description, offer);
      return { msg_id: given.id, ...noteOf(given) };
    }),

    reads(ShareFile, async (payload, connection) => {
      const owner = speakerOf(connection, payload.from);
      const offer = offerIn(payload, inlineBytes);
      const { recipients, description } = payload;
      const given = await files.share(owner, recipients, description, offer);
      return { share_id: given.id, ...noteOf(given) };
    }),

    reads(SharedList, ({ from, owner, limit, before_id }, connection) => {
      const reader = speakerOf(connection, from);
      const most = Math.min(limit || defaultPage, maxPage);
      const found = store.list({ reader, owner, before: before_id, limit: most + 1 });
      const { rows, hasMore } = takePage(found.map(toShared), most);
      return { files: rows, has_more: hasMore };
    }),

    reads(SharedGet, async ({ from, id }, connection) => {
      const { file, bytes } = await files.get(speakerOf(connection, from), id);
      const shared = toShared(file);
      if (!file.content) return shared;
      if (bytes && fits(shared, bytes))
        return { ...shared, content_base64: bytes.toString('base64') };
      return { ...shared, content_url: contentPath(id) };
    }),

    writes(SharedDelete, async ({ from, id }, connection) => {
      await files.remove(speakerOf(connection, from), id);
      return { id };
    }),
  ];
}

const noteOf = ({ note }: Given) => (note ? { note } : {});

function offerIn(
  payload: Pick<ShareFile, 'path' | 'mime_type' | 'sha256' | 'content_base64'>,
  inlineBytes: number,
): Offer {
  const { path, mime_type, sha256, content_base64 } = payload;
  const bytes = content_base64 === undefined ? undefined : decoded(content_base64, inlineBytes);
  return { path, mimeType: mime_type, sha256, bytes };
}

function decoded(text: string, inlineBytes: number): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length > inlineBytes) {
    throw new FrameRefused(
      'too_large',
      `a frame may carry ${inlineBytes} bytes; leave content_base64 out and upload them to ${contentPath('ID')}`,
    );
  }
  if (bytes.toString('base64') === text) return bytes;
  throw new FrameRefused('bad_request', 'content_base64 is not padded standard base64');
}

function fits(shared: SharedNotify, bytes: Buffer): boolean {
  const rest = Buffer.byteLength(JSON.stringify(shared));
  return rest + Math.ceil(bytes.length / 3) * 4 <= maxAnswerBytes;
}
