const opcodes = { text: 1, close: 8, ping: 9 } as const;

export interface WsEvents {
  /** Gets whole text messages. Without it they are counted and their bytes skipped. */
  text?(message: string): void;
  ping?(payload: Buffer): void;
  closing?(code: number): void;
}

/** Walks over a server's WebSocket frames, which may be cut anywhere, and counts the messages. */
export class WsWalker {
  readonly #on: WsEvents;
  readonly #head = Buffer.alloc(10);
  #headBytes = 0;
  #opcode = 0;
  #left = 0;
  #inPayload = false;
  #parts: Buffer[] | undefined;
  #messages = 0;

  constructor(on: WsEvents = {}) {
    this.#on = on;
  }

  /** Returns how many text messages were completed by these bytes. */
  walk(bytes: Buffer): number {
    const before = this.#messages;
    let at = 0;
    while (at < bytes.length) {
      if (!this.#inPayload) at = this.#readHeader(bytes, at);
      if (!this.#inPayload) break;
      const end = Math.min(at + this.#left, bytes.length);
      // A copy: the caller reuses its buffer.
      this.#parts?.push(Buffer.from(bytes.subarray(at, end)));
      this.#left -= end - at;
      at = end;
      if (this.#left === 0) this.#finish();
    }
    return this.#messages - before;
  }

  #readHeader(bytes: Buffer, at: number): number {
    if (this.#headBytes === 0 && bytes.length - at >= this.#head.length) {
      return at + this.#parseHeader(bytes, at);
    }
    let next = at;
    while (next < bytes.length) {
      this.#head[this.#headBytes++] = bytes[next++] ?? 0;
      if (this.#headBytes < 2 || this.#headBytes < headerLength(this.#head[1] ?? 0)) continue;
      this.#headBytes = 0;
      this.#parseHeader(this.#head, 0);
      break;
    }
    return next;
  }

  #parseHeader(bytes: Buffer, at: number): number {
    const first = bytes[at] ?? 0;
    if (first < 0x80) throw new Error('a fragmented message: this client does not read those');
    const short = bytes[at + 1] ?? 0;
    this.#opcode = first & 0x0f;
    this.#left =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    this.#inPayload = true;
    this.#parts = this.#opcode === opcodes.text && !this.#on.text ? undefined : [];
    return headerLength(short);
  }

  #finish(): void {
    this.#inPayload = false;
    if (this.#opcode === opcodes.text) this.#messages += 1;
    if (!this.#parts) return;
    const payload = Buffer.concat(this.#parts);
    if (this.#opcode === opcodes.text) this.#on.text?.(payload.toString());
    else if (this.#opcode === opcodes.ping) this.#on.ping?.(payload);
    else if (this.#opcode === opcodes.close) {
      this.#on.closing?.(payload.length < 2 ? 1005 : payload.readUInt16BE(0));
    }
  }
}

const headerLength = (short: number): number => (short < 126 ? 2 : short === 126 ? 4 : 10);
