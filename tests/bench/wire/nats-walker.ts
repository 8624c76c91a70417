const newline = 0x0a;
const letterM = 0x4d;
const digitZero = 0x30;
const lineEndBytes = 2;

export interface NatsEvents {
  /** Gets the payload of every `MSG`. Without it they are counted and their bytes skipped. */
  message?(payload: string): void;
  /** Every other line: `INFO …`, `PING`, `PONG`, `-ERR …`. */
  line?(text: string): void;
}

/** Walks over what a NATS server sends, which may be cut anywhere, and counts the messages. */
export class NatsWalker {
  readonly #on: NatsEvents;
  #partOfLine = Buffer.alloc(0);
  #left = 0;
  #parts: Buffer[] | undefined;
  #messages = 0;

  constructor(on: NatsEvents = {}) {
    this.#on = on;
  }

  /** Returns how many messages were completed by these bytes. */
  walk(bytes: Buffer): number {
    const before = this.#messages;
    let at = 0;
    while (at < bytes.length) {
      at = this.#left > 0 ? this.#skipPayload(bytes, at) : this.#readLine(bytes, at);
    }
    return this.#messages - before;
  }

  #skipPayload(bytes: Buffer, at: number): number {
    const end = Math.min(at + this.#left, bytes.length);
    // A copy: the caller reuses its buffer.
    this.#parts?.push(Buffer.from(bytes.subarray(at, end)));
    this.#left -= end - at;
    if (this.#left === 0) this.#finish();
    return end;
  }

  #readLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(newline, at);
    if (end === -1) {
      this.#partOfLine = Buffer.concat([this.#partOfLine, bytes.subarray(at)]);
      return bytes.length;
    }
    if (this.#partOfLine.length === 0) {
      this.#takeLine(bytes, at, end);
    } else {
      const line = Buffer.concat([this.#partOfLine, bytes.subarray(at, end)]);
      this.#partOfLine = Buffer.alloc(0);
      this.#takeLine(line, 0, line.length);
    }
    return end + 1;
  }

  /** The line is from `start` to before `end`, where its newline is; a `\r` comes before that. */
  #takeLine(bytes: Buffer, start: number, end: number): void {
    if (bytes[start] !== letterM) {
      this.#on.line?.(bytes.toString('latin1', start, end - 1));
      return;
    }
    let size = 0;
    let unit = 1;
    for (let i = end - lineEndBytes; i > start; i--) {
      const digit = (bytes[i] ?? 0) - digitZero;
      if (digit < 0 || digit > 9) break;
      size += digit * unit;
      unit *= 10;
    }
    this.#left = size + lineEndBytes;
    this.#parts = this.#on.message && [];
  }

  #finish(): void {
    this.#messages += 1;
    if (!this.#parts) return;
    this.#on.message?.(Buffer.concat(this.#parts).toString().slice(0, -lineEndBytes));
  }
}
