import type { SharedNotify } from '#shared/frames/files';
import type { FileContent } from './events.ts';
import { isHomeRelative } from './paths.ts';

/** A file that somebody announced or shared. */
export interface StoredFile {
  /** The position of the event that told of it; of an announced file its message's id too. */
  readonly id: number;
  readonly path: string;
  readonly owner: string;
  readonly description?: string | undefined;
  /** Undefined when it was announced to everybody. */
  readonly recipients?: readonly string[] | undefined;
  readonly mimeType?: string | undefined;
  /** Of the bytes, whether they are here or only promised. */
  readonly sha256?: string | undefined;
  /** The bytes, if they are here. */
  readonly content?: FileContent | undefined;
  /** Seconds precision, RFC 3339. */
  readonly createdAt: string;
}

/** A file as its readers see it. */
export function toShared(file: StoredFile): SharedNotify {
  const { id, path, owner, description, recipients, mimeType, sha256, content, createdAt } = file;
  return {
    id,
    path,
    home_relative: isHomeRelative(path),
    shared_by: owner,
    created_at: createdAt,
    ...(description && { description }),
    ...(recipients && { recipients: [...recipients] }),
    ...(mimeType && { mime_type: mimeType }),
    ...(content && { size: content.size }),
    ...(sha256 && { sha256 }),
  };
}

/** Where the bytes of a file are put and got over REST. */
export const contentPath = (id: number | string): string => `/api/files/${id}/content`;
