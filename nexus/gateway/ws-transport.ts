import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { FrameBatch, OutboundFrame } from '#shared/transport/frame-batch';
import type {
  BatchTransport,
  PausableTransport,
  ProbeTransport,
  TransportEvents,
} from '#shared/transport/transport';

/** How long a peer may take to answer our close frame before its socket is destroyed. */
const closeGraceMs = 2_000;

/**
 * The broker's end of a WebSocket. Outgoing frames are framed once for all readers and written to
 * the socket underneath as they are; `ws` reads, checks, and speaks the control frames.
 */
export class WsTransport implements BatchTransport, PausableTransport, ProbeTransport {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;

  /** `socket` is the one that `ws` was upgraded on. Compression must be off. */
  constructor(ws: WebSocket, socket: Duplex) {
    this.#ws = ws;
    this.#socket = socket;
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  start(on: TransportEvents): void {
    this.#ws.on('message', (data, isBinary) => {
      if (isBinary) this.close(1003, 'text only');
      else on.message(data.toString());
    });
    // The code that follows says what went wrong; `ws` closes by itself.
    this.#ws.on('error', () => undefined);
    this.#ws.once('close', (code, reason) => on.closed(code, reason.toString()));
    this.#socket.on('drain', () => on.drained?.());
  }

  send(text: string): void {
    this.sendBatch(new FrameBatch([new OutboundFrame(text)]));
  }

  sendBatch(batch: FrameBatch): void {
    this.#write(batch.webSocketForm);
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  probe(): Promise<void> {
    this.#ws.ping();
    return new Promise((resolve) => this.#ws.once('pong', () => resolve()));
  }

  terminate(): void {
    this.#ws.terminate();
  }

  close(code: number, reason: string): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#ws.close(code, reason);
    const grace = setTimeout(() => this.#ws.terminate(), closeGraceMs);
    grace.unref();
    this.#ws.once('close', () => clearTimeout(grace));
  }

  #write(bytes: Buffer): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#socket.write(bytes);
  }
}
