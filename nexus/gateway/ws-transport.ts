import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { closeReason } from '#shared/transport/close-reason';
import { FrameBatch, OutboundFrame } from '#shared/transport/frame-batch';
import type {
  BatchTransport,
  PausableTransport,
  ProbeTransport,
  TransportEvents,
} from '#shared/transport/transport';
import { closeGraceMs } from './listener.ts';

/**
 * The broker's end of a WebSocket of `ws`. Outgoing frames are framed once for all readers and
 * written to the socket underneath as they are; `ws` reads, checks, and speaks the control frames.
 */
export class WsTransport implements BatchTransport, PausableTransport, ProbeTransport {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  /** Settled by the next pong. Whoever asks meanwhile shares it. */
  #pong: PromiseWithResolvers<void> | undefined;

  /** `socket` is the one that `ws` was upgraded on. Compression must be off. */
  constructor(ws: WebSocket, socket: Duplex) {
    this.#ws = ws;
    this.#socket = socket;
    // Until `start`, so that nothing the peer says first is missed.
    ws.pause();
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  start(on: TransportEvents): void {
    const ws = this.#ws;
    if (ws.readyState === ws.CLOSED) {
      queueMicrotask(() => on.closed(1006, ''));
      return;
    }
    ws.on('message', (data, isBinary) => {
      if (ws.readyState !== ws.OPEN) return;
      if (isBinary) this.close(1003, 'text only');
      else on.message(data.toString());
    });
    ws.on('pong', () => {
      this.#pong?.resolve();
      this.#pong = undefined;
    });
    // The code that follows says what went wrong; `ws` closes by itself.
    ws.on('error', ignore);
    ws.on('close', (code, reason) => on.closed(code, reason.toString()));
    this.#socket.on('drain', () => on.drained?.());
    ws.resume();
  }

  send(text: string): void {
    this.sendBatch(new FrameBatch([new OutboundFrame(text)]));
  }

  sendBatch(batch: FrameBatch): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#socket.write(batch.webSocketForm);
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  probe(): Promise<void> {
    if (!this.#pong) {
      this.#pong = Promise.withResolvers();
      if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
    }
    return this.#pong.promise;
  }

  terminate(): void {
    this.#ws.terminate();
  }

  close(code: number, reason: string): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    // A reader that is held back would not see the peer's goodbye.
    this.#ws.resume();
    this.#ws.close(code, closeReason(reason));
    const grace = setTimeout(() => this.#ws.terminate(), closeGraceMs);
    grace.unref();
    this.#ws.once('close', () => clearTimeout(grace));
  }
}

const ignore = (): void => undefined;
