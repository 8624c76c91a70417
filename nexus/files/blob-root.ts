import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { FrameRefused } from '#shared/frames/errors';
import { makeFolder, syncFolder } from '#shared/sys/folders';
import { type NewId, newUlid } from '#shared/sys/ids';
import type { FileContent } from './events.ts';

/** Bytes on their way in. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** The folder with the bytes of files, under names of our own; nothing a client says is a name. */
export class BlobRoot {
  readonly #folder: string;
  readonly #incoming: string;
  readonly #newId: NewId;

  private constructor(folder: string, newId: NewId) {
    this.#folder = folder;
    // Beside it, so that whoever copies the folder gets whole files only.
    this.#incoming = `${folder}.incoming`;
    this.#newId = newId;
  }

  /** Creates its folders if need be (mode 0700) and removes what a crash left half written. */
  static open(folder: string, newId: NewId = newUlid): BlobRoot {
    const root = new BlobRoot(folder, newId);
    rmSync(root.#incoming, { recursive: true, force: true });
    for (const each of [folder, root.#incoming]) makeFolder(each);
    return root;
  }

  /**
   * Takes bytes in; they are on disk when it resolves. Leaves nothing behind when it rejects: with
   * `FrameRefused` beyond `maxBytes`, else with what the source or the disk failed with.
   */
  async write(source: ByteSource, maxBytes: number): Promise<FileContent> {
    const blob = this.#newId();
    let path = join(this.#incoming, blob);
    try {
      const handle = await open(path, 'wx', 0o600);
      const written = await fill(handle, source, maxBytes).finally(() => handle.close());
      const settled = join(this.#folder, blob);
      await rename(path, settled);
      path = settled;
      await syncFolder(this.#folder);
      return { blob, ...written };
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  /** All bytes of a blob, for those that are small. */
  read({ blob }: FileContent): Promise<Buffer> {
    return readFile(join(this.#folder, blob));
  }

  /** The bytes as they are read from the disk. Whoever asks must read or destroy it. */
  async stream({ blob }: FileContent): Promise<Readable> {
    const handle = await open(join(this.#folder, blob), 'r');
    return handle.createReadStream();
  }

  /** Removes a blob; no harm when it is gone. */
  async remove({ blob }: FileContent): Promise<void> {
    await rm(join(this.#folder, blob), { force: true });
  }
}

async function fill(
  handle: FileHandle,
  source: ByteSource,
  maxBytes: number,
): Promise<Omit<FileContent, 'blob'>> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of source) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new FrameRefused('too_large', `this file may have ${maxBytes} bytes`);
    }
    hash.update(chunk);
    await handle.writeFile(chunk);
  }
  await handle.sync();
  return { size, sha256: hash.digest('hex') };
}
