import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';

/** A frame as it is on the wire. */
export type Frame = Record<string, unknown> & { kind: string; payload?: Record<string, unknown> };

/** A client that knows nothing of our code: JSON texts over a WebSocket. */
export class RawClient {
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  readonly #ws: WebSocket;
  readonly #frames: Frame[] = [];
  #wake: () => void = () => undefined;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    this.closed = new Promise((resolve) => ws.once('close', (code) => resolve(code)));
    ws.on('message', (data) => {
      this.#frames.push(JSON.parse(data.toString()) as Frame);
      this.#wake();
    });
  }

  static async connect(
    url: string,
    token: string,
    options: ClientOptions = {},
  ): Promise<RawClient> {
    const ws = new WebSocket(`${url.replace(/^http/, 'ws')}/connect`, {
      headers: { authorization: `Bearer ${token}` },
      ...options,
    });
    const client = new RawClient(ws);
    await once(ws, 'open');
    return client;
  }

  send(frame: unknown): void {
    this.#ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  sendBinary(data: Buffer): void {
    this.#ws.send(data, { binary: true });
  }

  /** The next frame that fits, whenever it came; it is taken out. Frames before it stay. */
  async next(fits: (frame: Frame) => boolean, what = 'a frame'): Promise<Frame> {
    const deadline = AbortSignal.timeout(5_000);
    for (;;) {
      const index = this.#frames.findIndex(fits);
      if (index >= 0) return this.#frames.splice(index, 1)[0] as Frame;
      await new Promise<void>((resolve, reject) => {
        const late = () =>
          reject(new Error(`${what} did not come; got ${JSON.stringify(this.#frames)}`));
        deadline.addEventListener('abort', late, { once: true });
        this.#wake = () => {
          deadline.removeEventListener('abort', late);
          resolve();
        };
      });
    }
  }

  kind(kind: string): Promise<Frame> {
    return this.next((frame) => frame.kind === kind, kind);
  }

  /** Sends a request and returns whatever answers its id. */
  request(kind: string, payload: unknown, id = `r${Math.random()}`): Promise<Frame> {
    this.send({ kind, id, ts: '2026-06-01T08:00:00Z', payload });
    return this.next((frame) => frame['in_reply_to'] === id, `an answer to ${kind}`);
  }

  /** True when nothing more is on its way: a request sent now is answered first. */
  async silent(kind: string): Promise<boolean> {
    await this.request('chat.read', {});
    return !this.#frames.some((frame) => frame.kind === kind);
  }

  async close(): Promise<void> {
    if (this.#ws.readyState === WebSocket.CLOSED) return;
    this.#ws.close();
    await once(this.#ws, 'close');
  }
}
