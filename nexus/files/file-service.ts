import type { Readable } from 'node:stream';
import { nameKey } from '#shared/config/names';
import { FrameRefused } from '#shared/frames/errors';
import type { Hub } from '../broker/hub.ts';
import { operatorName } from '../credentials/identity.ts';
import type { Journal } from '../journal/journal.ts';
import type { BlobRoot, ByteSource } from './blob-root.ts';
import {
  type FileContent,
  type FileDeleted,
  type FileFacts,
  type FileFetched,
  type FileShared,
  type FileStored,
  fileDeleted,
  fileFetched,
  fileShared,
  fileStored,
} from './events.ts';
import { FileContents } from './file-contents.ts';
import type { FileStore } from './file-store.ts';
import { sendNotices } from './notices.ts';
import { readPath } from './paths.ts';
import { Quota, type QuotaLimits } from './quota.ts';
import type { StoredFile } from './stored-file.ts';

export interface FileLimits extends QuotaLimits {
  /** Bytes that travel inside a frame. */
  readonly inlineBytes: number;
  /** Uploads under way, in all and of one owner. */
  readonly uploads: number;
  readonly uploadsPerOwner: number;
}

const mebibyte = 1024 * 1024;

export const defaultFileLimits: FileLimits = {
  fileBytes: 64 * mebibyte,
  ownerBytes: 512 * mebibyte,
  totalBytes: 4096 * mebibyte,
  inlineBytes: mebibyte / 2,
  uploads: 16,
  uploadsPerOwner: 4,
};

export interface FileServiceDeps {
  readonly journal: Journal;
  readonly store: FileStore;
  readonly hub: Hub;
  readonly blobs: BlobRoot;
  readonly limits: FileLimits;
  /** Posts the chat message that announces a file, and the file with it, in one event. */
  announce(sender: string, content: string, file: FileFacts): Promise<{ readonly id: number }>;
  /** A known aspect's name as its owner spells it. */
  findName(name: string): string | undefined;
}

/** A file as its owner offers it. */
export interface Offer {
  readonly path: string;
  readonly mimeType?: string | undefined;
  readonly sha256?: string | undefined;
  readonly bytes?: Buffer | undefined;
}

/** What an owner learns once its file is recorded. */
export interface Given {
  readonly id: number;
  readonly note: string;
}

/** Announces and shares files, keeps their bytes, and gives them to those who may have them. */
export class FileService {
  readonly #deps: FileServiceDeps;
  readonly #contents: FileContents;
  /** Files whose bytes are on their way in or out, and whose they are. */
  readonly #busy = new Map<number, string>();

  constructor(deps: FileServiceDeps) {
    this.#deps = deps;
    const quota = new Quota(deps.limits, (owner) => deps.store.usage(owner));
    this.#contents = new FileContents(deps.blobs, quota);
    sendNotices(deps);
  }

  /** Posts a message that tells of a file. Throws `FrameRefused` for what cannot be taken. */
  announce(owner: string, description: string, offer: Offer): Promise<Given> {
    return this.#give(owner, offer, async (facts) => {
      return (await this.#deps.announce(owner, description, facts)).id;
    });
  }

  /** Gives a file to some. Throws `FrameRefused` for what cannot be taken. */
  async share(
    owner: string,
    recipients: readonly string[],
    description: string | undefined,
    offer: Offer,
  ): Promise<Given> {
    const known = recipients.map((name) => this.#spelt(name));
    const to = recipients.map((name, index) => known[index] ?? name);
    const strangers = to.filter((_, index) => known[index] === undefined);
    const { id, note } = await this.#give(owner, offer, async (facts) => {
      const body: FileShared['body'] = {
        ...facts,
        ...(description && { description }),
        recipients: [...new Map(to.map((name) => [nameKey(name), name])).values()],
      };
      return (await this.#deps.journal.append({ kind: fileShared, actor: owner, body })).position;
    });
    const unknown = strangers.map((name) => `nobody is called ${name} yet`);
    return { id, note: [note, ...unknown].filter(Boolean).join('; ') };
  }

  /** A file that `reader` may see, with its bytes if they are here and fit a frame. */
  async get(reader: string, id: number): Promise<{ file: StoredFile; bytes?: Buffer }> {
    const file = this.#visible(reader, id);
    if (!file.content || file.content.size > this.#deps.limits.inlineBytes) return { file };
    await this.#recordFetch(reader, file);
    return { file, bytes: await this.#deps.blobs.read(file.content) };
  }

  /** The bytes of a file that `reader` may see. Whoever asks must read or destroy the stream. */
  async open(
    reader: string,
    id: number,
  ): Promise<{ file: StoredFile; content: FileContent; stream: Readable }> {
    const file = this.#visible(reader, id);
    const { content } = file;
    if (!content) throw new FrameRefused('not_found', `the bytes of file ${id} are not here`);
    await this.#recordFetch(reader, file);
    return { file, content, stream: await this.#deps.blobs.stream(content) };
  }

  /** Stores the bytes of a file that was told of without them. They come once and then stay. */
  async upload(
    caller: string,
    id: number,
    source: ByteSource,
    length: number | undefined,
  ): Promise<FileContent> {
    const { owner, content, sha256 } = this.#visible(caller, id);
    if (nameKey(owner) !== nameKey(caller)) {
      throw new FrameRefused('forbidden', `file ${id} is ${owner}'s`);
    }
    if (content) {
      throw new FrameRefused('conflict', `file ${id} has its bytes; announce a new one instead`);
    }
    this.#assertMayUpload(nameKey(owner));
    return this.#alone(id, owner, () =>
      this.#contents.take({ owner, source, length, sha256 }, async (taken) => {
        const body: FileStored['body'] = { fileId: id, content: taken };
        await this.#deps.journal.append({ kind: fileStored, actor: caller, body });
        return taken;
      }),
    );
  }

  /** Takes a file back. Its owner and operators may. */
  async remove(caller: string, id: number): Promise<void> {
    const { owner, content } = this.#visible(caller, id);
    if (nameKey(owner) !== nameKey(caller) && caller !== operatorName) {
      throw new FrameRefused('forbidden', `file ${id} is ${owner}'s`);
    }
    await this.#alone(id, owner, async () => {
      const body: FileDeleted['body'] = { fileId: id };
      await this.#deps.journal.append({ kind: fileDeleted, actor: caller, body });
      if (content) await this.#deps.blobs.remove(content);
    });
  }

  /** Resolves when no bytes are on their way. */
  close(): Promise<void> {
    return this.#contents.close();
  }

  async #give(
    owner: string,
    { path: text, mimeType, sha256, bytes }: Offer,
    record: (facts: FileFacts) => Promise<number>,
  ): Promise<Given> {
    const { path, homeRelative } = readPath(text);
    const facts = { path, ...(mimeType && { mimeType }), ...(sha256 && { sha256 }) };
    const id = await (bytes
      ? this.#contents.take({ owner, source: [bytes], length: bytes.length, sha256 }, (content) =>
          record({ ...facts, content }),
        )
      : record(facts));
    return {
      id,
      note: homeRelative ? '' : `${path} is kept as a label, for it is no path in a home`,
    };
  }

  /** Whoever may not see a file does not learn that it exists. */
  #visible(reader: string, id: number): StoredFile {
    const file = this.#deps.store.findFor(reader, id);
    if (!file) throw new FrameRefused('not_found', `there is no file ${id} for ${reader}`);
    return file;
  }

  #spelt(name: string): string | undefined {
    return nameKey(name) === operatorName ? operatorName : this.#deps.findName(name);
  }

  async #recordFetch(reader: string, { id }: StoredFile): Promise<void> {
    const body: FileFetched['body'] = { fileId: id };
    await this.#deps.journal.append({ kind: fileFetched, actor: reader, body });
  }

  #assertMayUpload(owner: string): void {
    const { uploads, uploadsPerOwner } = this.#deps.limits;
    const own = [...this.#busy.values()].filter((name) => nameKey(name) === owner);
    if (this.#busy.size < uploads && own.length < uploadsPerOwner) return;
    throw new FrameRefused('busy', 'too many uploads are under way; try again later');
  }

  /** One change at a time to the bytes of one file. */
  async #alone<T>(id: number, owner: string, change: () => Promise<T>): Promise<T> {
    if (this.#busy.has(id)) {
      throw new FrameRefused('conflict', `file ${id} is being changed; try again later`);
    }
    this.#busy.set(id, owner);
    try {
      return await change();
    } finally {
      this.#busy.delete(id);
    }
  }
}
