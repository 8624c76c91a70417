/**
 * One encoded message, on its way to any number of readers. Its WebSocket form is built once, by
 * the first transport that asks for it.
 */
export class OutboundFrame {
  readonly text: string;
  readonly bytes: number;
  #webSocketForm: Buffer | undefined;

  constructor(text: string) {
    this.text = text;
    this.bytes = Buffer.byteLength(text);
  }

  /** The message as one unmasked, final WebSocket text frame (RFC 6455 §5.2). */
  get webSocketForm(): Buffer {
    this.#webSocketForm ??= webSocketFrame(this.text, this.bytes);
    return this.#webSocketForm;
  }
}

/** Messages that leave together. Readers of the same messages share one batch, and one buffer. */
export class FrameBatch {
  readonly frames: readonly OutboundFrame[];
  #webSocketForm: Buffer | undefined;

  constructor(frames: readonly OutboundFrame[]) {
    this.frames = frames;
  }

  /** All frames, concatenated. Built once. */
  get webSocketForm(): Buffer {
    const only = this.frames.length === 1 ? this.frames[0] : undefined;
    this.#webSocketForm ??=
      only?.webSocketForm ?? Buffer.concat(this.frames.map((frame) => frame.webSocketForm));
    return this.#webSocketForm;
  }

  /** True when it holds exactly these messages. */
  holds(frames: readonly OutboundFrame[]): boolean {
    if (frames.length !== this.frames.length) return false;
    for (let i = frames.length - 1; i >= 0; i--) {
      if (frames[i] !== this.frames[i]) return false;
    }
    return true;
  }
}

const finalText = 0x81;
const lengthIn16Bits = 126;
const lengthIn64Bits = 127;

function webSocketFrame(text: string, length: number): Buffer {
  const headerBytes = length < lengthIn16Bits ? 2 : length <= 0xffff ? 4 : 10;
  const frame = Buffer.allocUnsafe(headerBytes + length);
  frame[0] = finalText;
  if (headerBytes === 2) {
    frame[1] = length;
  } else if (headerBytes === 4) {
    frame[1] = lengthIn16Bits;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = lengthIn64Bits;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headerBytes, 'utf8');
  return frame;
}
