import { openSync, writeSync } from 'node:fs';

/**
 * A file that lines are appended to, each at once. A line that cannot be written, on a full disk
 * perhaps, is lost: a log must not stop what it is the log of.
 */
export class LogFile {
  readonly #fd: number;
  /** The last line was cut off in the middle. */
  #isCut = false;

  /** Creates the file for this user only. Throws the system's error when it cannot. */
  constructor(path: string) {
    this.#fd = openSync(path, 'a', 0o600);
  }

  write(line: string): void {
    const bytes = Buffer.from(this.#isCut ? `\n${line}` : line);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written);
      this.#isCut = false;
    } catch {
      this.#isCut ||= written > 0;
    }
  }
}
