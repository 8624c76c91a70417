import { randomBytes } from 'node:crypto';
import { TcpLink } from './tcp-link.ts';
import { pongFrame, textFrame } from './ws-frames.ts';
import { WsWalker } from './ws-walker.ts';

/** A frame of the wire protocol, as far as a bench looks into it. */
export interface WireFrame {
  readonly kind: string;
  readonly in_reply_to?: string;
  readonly payload?: Readonly<Record<string, unknown>>;
}

/** A lean client of our broker: no decoding unless asked for, many messages in one write. */
export class WsLink {
  readonly #tcp: TcpLink;
  #walker = new WsWalker();
  #closeCode = 1006;
  #requests = 0;

  private constructor(tcp: TcpLink) {
    this.#tcp = tcp;
  }

  /** Connects to `/connect` at the broker's base address. Rejects unless it is let in. */
  static async open(url: string, token: string): Promise<WsLink> {
    const { port, host } = new URL(url);
    let seen = '';
    let answered: (text: string) => void = () => undefined;
    const answer = new Promise<string>((resolve) => {
      answered = resolve;
    });
    const tcp = await TcpLink.open(Number(port), (bytes) => {
      seen += bytes.toString('latin1');
      // The broker says nothing more before we do.
      if (seen.includes('\r\n\r\n')) answered(seen);
    });
    tcp.onClosed(() => answered(`${seen} (closed)`));
    tcp.write(
      `GET /connect HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n` +
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    const head = await answer;
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`not let in: ${head}`);
    return new WsLink(tcp);
  }

  /** From now on counts messages, without looking into them. */
  count(arrived: (messages: number) => void): void {
    this.#walk({}, arrived);
  }

  /** From now on decodes every message. */
  read(take: (frame: WireFrame) => void): void {
    this.#walk({ text: (message) => take(JSON.parse(message) as WireFrame) });
  }

  /** Sends a request and resolves with its answer. Stops counting or reading; drops the rest. */
  request(kind: string, payload: object = {}): Promise<WireFrame> {
    this.#requests += 1;
    const id = `request-${this.#requests}`;
    return new Promise((resolve, reject) => {
      this.read((frame) => {
        if (frame.in_reply_to !== id) return;
        if (!frame.kind.endsWith('.error')) resolve(frame);
        else reject(new Error(`${frame.kind}: ${JSON.stringify(frame.payload)}`));
      });
      this.write(textFrame(JSON.stringify({ kind, id, payload })));
    });
  }

  /** Writes ready-made frames. */
  write(frames: Buffer): void {
    this.#tcp.write(frames);
  }

  /** `listener` gets the close code once the connection is gone; 1006 when none was read. */
  onClosed(listener: (code: number) => void): void {
    this.#tcp.onClosed(() => listener(this.#closeCode));
  }

  pause(): void {
    this.#tcp.pause();
  }

  resume(): void {
    this.#tcp.resume();
  }

  destroy(): void {
    this.#tcp.destroy();
  }

  #walk(on: { text?(message: string): void }, arrived?: (messages: number) => void): void {
    this.#walker = new WsWalker({
      ...on,
      ping: (payload) => this.#tcp.write(pongFrame(payload)),
      closing: (code) => {
        this.#closeCode = code;
        this.#tcp.destroy();
      },
    });
    const walker = this.#walker;
    this.#tcp.passTo((bytes) => {
      const messages = walker.walk(bytes);
      if (arrived && messages > 0) arrived(messages);
    });
  }
}
