/** One encoded message, on its way to any number of readers. */
export class OutboundFrame {
  readonly text: string;
  /** Length in UTF-8. */
  readonly bytes: number;
  #utf8: Buffer | undefined;

  constructor(text: string) {
    this.text = text;
    this.bytes = Buffer.byteLength(text);
  }

  /** The text in UTF-8. Encoded once. */
  get utf8(): Buffer {
    this.#utf8 ??= Buffer.from(this.text);
    return this.#utf8;
  }
}

/** Messages that leave together. Readers of the same messages share one batch, and one buffer. */
export class FrameBatch {
  readonly frames: readonly OutboundFrame[];
  #webSocketForm: Buffer | undefined;

  constructor(frames: readonly OutboundFrame[]) {
    this.frames = frames;
  }

  /** All of them, each as one unmasked, final WebSocket text frame (RFC 6455 §5.2). Built once. */
  get webSocketForm(): Buffer {
    this.#webSocketForm ??= encode(this.frames);
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
/** From these lengths on, the length itself takes 16 and 64 bits. */
const needs16Bits = 126;
const needs64Bits = 0x1_00_00;

const headerBytes = (length: number): number =>
  length < needs16Bits ? 2 : length < needs64Bits ? 4 : 10;

function encode(frames: readonly OutboundFrame[]): Buffer {
  const total = frames.reduce((sum, { bytes }) => sum + headerBytes(bytes) + bytes, 0);
  const buffer = Buffer.allocUnsafe(total);
  let offset = 0;
  for (const { text, bytes } of frames) {
    offset = writeHeader(buffer, offset, bytes);
    offset += buffer.write(text, offset, 'utf8');
  }
  return buffer;
}

/** Returns the offset behind the header. */
function writeHeader(buffer: Buffer, offset: number, length: number): number {
  buffer[offset] = finalText;
  if (length < needs16Bits) {
    buffer[offset + 1] = length;
  } else if (length < needs64Bits) {
    buffer[offset + 1] = 126;
    buffer.writeUInt16BE(length, offset + 2);
  } else {
    buffer[offset + 1] = 127;
    buffer.writeBigUInt64BE(BigInt(length), offset + 2);
  }
  return offset + headerBytes(length);
}
