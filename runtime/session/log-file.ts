import { constants, type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { systemCodeOf } from '#shared/errors';
import { syncFolder } from '#shared/sys/folders';

/** The few things the log asks of a file. Tests put failing disks behind it. */
export interface LogFile {
  read(): Promise<Buffer>;
  /** Writes all of `bytes` at `position`; durable when it resolves. May fail half way. */
  write(bytes: Buffer, position: number): Promise<void>;
  /** Cuts the file; durable when it resolves. */
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a log file for reading and writing, creating it (and its folder) if need be. */
export type OpenLogFile = (path: string) => Promise<LogFile>;

/**
 * The real one. On Linux the file is opened with O_DSYNC: each write is a write plus an fdatasync
 * in one system call, which saves a hop through the thread pool per append. Elsewhere the flag is
 * missing or weaker than `fdatasync`, so that is called.
 */
export const openLogFile: OpenLogFile = async (path) => {
  const syncsItself = process.platform === 'linux';
  const flags = constants.O_RDWR | (syncsItself ? constants.O_DSYNC : 0);
  const handle = await openOrCreate(path, flags);
  return {
    read: () => handle.readFile(),
    async write(bytes, position) {
      for (let done = 0; done < bytes.length; ) {
        const rest = bytes.length - done;
        done += (await handle.write(bytes, done, rest, position + done)).bytesWritten;
      }
      if (!syncsItself) await handle.datasync();
    },
    async truncate(length) {
      await handle.truncate(length);
      await handle.sync();
    },
    close: () => handle.close(),
  };
};

async function openOrCreate(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
  }
  const folder = dirname(path);
  await createFolder(folder);
  const handle = await open(path, flags | constants.O_CREAT | constants.O_EXCL, 0o600);
  await syncFolder(folder);
  return handle;
}

/** Creates a folder and those above it (mode 0700); their names are durable when it resolves. */
export async function createFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const topmost = dirname(resolve(first));
  for (let parent = resolve(folder); parent !== topmost; ) {
    parent = dirname(parent);
    await syncFolder(parent);
  }
}
