export const fileShared = 'file.shared';
export const fileStored = 'file.stored';
export const fileFetched = 'file.fetched';
export const fileDeleted = 'file.deleted';

/** Bytes that the broker has. The journal knows of them, and never holds them. */
export interface FileContent {
  /** Our own name for them, under which they are on disk. */
  readonly blob: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** What its owner says of a file. */
export interface FileFacts {
  readonly path: string;
  readonly mimeType?: string;
  /** What the owner promised of bytes that are still to come. */
  readonly sha256?: string;
  readonly content?: FileContent;
}

/**
 * The actor gave a file to some. Its position is the file's id. A file for everybody is part of
 * the chat message that announces it (`ChatPosted.file`), and has that message's id.
 */
export interface FileShared {
  readonly kind: typeof fileShared;
  readonly body: FileFacts & {
    readonly description?: string;
    readonly recipients: readonly string[];
  };
}

/** The bytes of a file arrived after it was announced or shared. */
export interface FileStored {
  readonly kind: typeof fileStored;
  readonly body: { readonly fileId: number; readonly content: FileContent };
}

/** The actor was given the bytes of a file. For the audit only. */
export interface FileFetched {
  readonly kind: typeof fileFetched;
  readonly body: { readonly fileId: number };
}

/** The actor took a file back. */
export interface FileDeleted {
  readonly kind: typeof fileDeleted;
  readonly body: { readonly fileId: number };
}

export type FileEvent = FileShared | FileStored | FileFetched | FileDeleted;
