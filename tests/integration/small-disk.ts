import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  rmdirSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { messageOf, systemCodeOf } from '#shared/errors';

/** A file system of a few megabytes. */
export class SmallDisk {
  readonly folder: string;
  readonly #ballast: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#ballast = join(folder, 'ballast');
  }

  /** Mounts it until the test ends. Needs root: skips the test and returns undefined without. */
  static mount(t: TestContext, megabytes: number): SmallDisk | undefined {
    const folder = mkdtempSync(join(tmpdir(), 'nexus-disk-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], {
        stdio: 'pipe',
      });
    } catch (error) {
      rmdirSync(folder);
      t.skip(`a small disk cannot be mounted here: ${messageOf(error).trim()}`);
      return undefined;
    }
    // Lazily: whoever still has a file open there is killed by the same test.
    t.after(() => {
      execFileSync('umount', ['--lazy', folder]);
      rmdirSync(folder);
    });
    return new SmallDisk(folder);
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }

  /** Writes a file until the disk is full, and then cuts it so that so much is free again. */
  fill(leavingBytes = 0): void {
    const file = openSync(this.#ballast, 'a');
    const zeros = Buffer.alloc(64 * 1024);
    try {
      for (;;) writeSync(file, zeros);
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOSPC') throw error;
      if (leavingBytes > 0) truncateSync(this.#ballast, fstatSync(file).size - leavingBytes);
    } finally {
      closeSync(file);
    }
  }

  empty(): void {
    rmSync(this.#ballast);
  }
}
