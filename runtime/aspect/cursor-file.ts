import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from 'typebox';
import { systemCodeOf } from '#shared/errors';
import { compileSchema } from '#shared/schema';
import type { InboxMark } from './inbox.ts';

const fileName = 'cursor.json';
const id = Type.Integer({ minimum: 0 });
const schema = compileSchema(
  Type.Object({ cursor: id, done: Type.Array(id), nexusId: Type.Optional(Type.String()) }),
);

/** How far the aspect has come, and in whose messages: ids belong to one instance. */
export interface HomeMark extends InboxMark {
  readonly nexusId?: string | undefined;
}

/** Keeps the mark in the aspect's home. One writer; the newest mark wins. */
export class CursorFile {
  readonly #path: string;
  #next: HomeMark | undefined;
  #writing: Promise<void> | undefined;

  constructor(home: string) {
    this.#path = join(home, fileName);
  }

  /** The stored mark; a start from nothing when there is none or it is not readable. */
  async load(): Promise<HomeMark> {
    try {
      const value: unknown = JSON.parse(await readFile(this.#path, 'utf8'));
      return schema.accepts(value) ? value : { cursor: 0, done: [] };
    } catch (error) {
      if (error instanceof SyntaxError || systemCodeOf(error) === 'ENOENT') {
        return { cursor: 0, done: [] };
      }
      throw error;
    }
  }

  /** Stores a mark. Resolves when it, or a newer one, is on disk. */
  save(mark: HomeMark): Promise<void> {
    this.#next = mark;
    this.#writing ??= this.#writeAll();
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    try {
      for (let mark = this.#next; mark; mark = this.#next) {
        this.#next = undefined;
        await this.#write(mark);
      }
    } finally {
      // In the turn that found nothing more: a mark that comes later starts a writer of its own.
      this.#writing = undefined;
    }
  }

  async #write(mark: HomeMark): Promise<void> {
    const temporary = `${this.#path}.tmp`;
    const handle = await open(temporary, 'w', 0o600);
    try {
      await handle.writeFile(JSON.stringify(mark));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, this.#path);
  }
}
