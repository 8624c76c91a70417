import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from '../eventually.ts';

export const opcodes = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

export interface FrameShape {
  /** False on all but the last fragment of a message. */
  readonly fin?: boolean;
  /** The three reserved bits, as 0b100 for the first. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** What the header says, whatever the payload has; written in 64 bits. */
  readonly declared?: bigint;
}

/** One WebSocket frame (RFC 6455 §5.2), as wrong as one likes. */
export function frame(
  opcode: number,
  payload: Buffer | string = '',
  shape: FrameShape = {},
): Buffer {
  const { fin = true, reserved = 0, masked = true, declared } = shape;
  const data = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  const length = lengthBytes(data.length, declared);
  length[0] = (length[0] ?? 0) | (masked ? 0x80 : 0);
  const mask = masked ? Buffer.from([1, 2, 3, 4]) : Buffer.alloc(0);
  const body = masked ? data.map((byte, i) => byte ^ (mask[i % 4] ?? 0)) : data;
  return Buffer.concat([Buffer.from([first]), length, mask, body]);
}

function lengthBytes(length: number, declared: bigint | undefined): Buffer {
  if (declared === undefined && length < 126) return Buffer.from([length]);
  if (declared === undefined && length < 65_536) {
    return Buffer.from([126, length >> 8, length & 0xff]);
  }
  const bytes = Buffer.alloc(9);
  bytes[0] = 127;
  bytes.writeBigUInt64BE(declared ?? BigInt(length), 1);
  return bytes;
}

export const text = (message: unknown): Buffer =>
  frame(opcodes.text, typeof message === 'string' ? message : JSON.stringify(message));

/** A close frame with a code, which may be one that must not be sent. */
export function closing(code: number, reason: Buffer | string = ''): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return frame(opcodes.close, Buffer.concat([head, Buffer.from(reason)]));
}

export interface RequestShape {
  readonly method?: string;
  readonly path?: string;
  readonly version?: string;
  /** Replaces a header line; `undefined` leaves it out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Header lines that come on top. */
  readonly extra?: readonly string[];
}

/** How the server ended it: an HTTP status, else a close code; 1006 when there was neither. */
export interface Ending {
  readonly status?: number;
  readonly code?: number;
}

/** A TCP socket on which HTTP and WebSocket are spoken by hand. It never hangs up by itself. */
export class RawSocket {
  readonly socket: Socket;
  readonly #token: string;
  #received = Buffer.alloc(0);
  #ended = false;

  private constructor(socket: Socket, token: string) {
    this.socket = socket;
    this.#token = token;
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    socket.on('error', () => undefined);
    for (const event of ['end', 'close']) {
      socket.once(event, () => {
        this.#ended = true;
      });
    }
  }

  static async connect(url: string, token: string): Promise<RawSocket> {
    const { port, hostname } = new URL(url);
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawSocket(socket, token);
  }

  write(bytes: Buffer | string): void {
    this.socket.write(bytes);
  }

  /** The text of an upgrade request, right in all but what `shape` changes. */
  request({
    method = 'GET',
    path = '/connect',
    version = '1.1',
    ...rest
  }: RequestShape = {}): string {
    const headers = {
      Host: `127.0.0.1:${this.socket.remotePort}`,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      Authorization: `Bearer ${this.#token}`,
      ...rest.headers,
    };
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}: ${value}`],
    );
    return [`${method} ${path} HTTP/${version}`, ...lines, ...(rest.extra ?? []), '', ''].join(
      '\r\n',
    );
  }

  /** Shakes hands as one should. */
  async upgrade(): Promise<this> {
    this.write(this.request());
    await this.answered();
    if (this.status !== 101) throw new Error(`upgrade refused with ${this.status}`);
    return this;
  }

  /** Waits for the head of the first answer, or the end. */
  answered(): Promise<void> {
    return eventually(() => this.#head() !== undefined || this.#ended, 'an answer');
  }

  /** The status of the first answer, when it is there. */
  get status(): number | undefined {
    const head = this.#head();
    return head === undefined ? undefined : Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  }

  /** Messages and control frames of the server so far. Of a close frame the text is its code. */
  frames(): { opcode: number; text: string }[] {
    const frames: { opcode: number; text: string }[] = [];
    let rest =
      this.status === 101 ? this.#received.subarray((this.#head() ?? '').length) : Buffer.alloc(0);
    for (;;) {
      const [first, second] = rest;
      if (first === undefined || second === undefined) return frames;
      const [start, length] =
        second < 126
          ? [2, second]
          : second === 126
            ? [4, rest.length < 4 ? Infinity : rest.readUInt16BE(2)]
            : [10, rest.length < 10 ? Infinity : Number(rest.readBigUInt64BE(2))];
      if (rest.length < start + length) return frames;
      const body = rest.subarray(start, start + length);
      const opcode = first & 0x0f;
      const said = opcode === opcodes.close ? String(body.length ? body.readUInt16BE() : 1005) : '';
      frames.push({ opcode, text: said || body.toString() });
      rest = rest.subarray(start + length);
    }
  }

  /** Waits until the server has ended its side, which it must do without our help. */
  async ended(): Promise<Ending> {
    await eventually(() => this.#ended, 'the end of the connection');
    if (this.status !== 101)
      return this.status === undefined ? { code: 1006 } : { status: this.status };
    const close = this.frames().find(({ opcode }) => opcode === opcodes.close);
    return { code: close ? Number(close.text) : 1006 };
  }

  /** Waits until the server holds nothing of it any more: what we write meets no one. */
  async gone(): Promise<void> {
    await eventually(() => {
      if (this.socket.writable) this.socket.write(frame(opcodes.pong));
      return this.socket.destroyed;
    }, 'the socket to be dropped');
  }

  /** Sends a request and waits for its answer. */
  async ask(kind: string, id: string): Promise<string> {
    this.write(text({ kind, id, payload: {} }));
    return this.answerTo(id);
  }

  async answerTo(id: string): Promise<string> {
    let answer: string | undefined;
    await eventually(() => {
      answer = this.frames().find((each) => each.text.includes(`"in_reply_to":"${id}"`))?.text;
      return answer !== undefined || this.#ended;
    }, `the answer to ${id}`);
    return answer ?? '';
  }

  /** Ends it the rude way. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** The answer's head with its empty line. */
  #head(): string | undefined {
    const end = this.#received.indexOf('\r\n\r\n');
    return end < 0 ? undefined : this.#received.subarray(0, end + 4).toString('latin1');
  }
}
