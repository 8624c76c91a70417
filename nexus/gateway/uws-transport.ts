import type { WebSocket } from 'uWebSockets.js';
import { closeReason } from '#shared/transport/close-reason';
import { FrameBatch, OutboundFrame } from '#shared/transport/frame-batch';
import type { BatchTransport, ProbeTransport, TransportEvents } from '#shared/transport/transport';
import { closeGraceMs, maxMessageBytes } from './listener.ts';

/** What the library keeps with a socket. */
export interface OnSocket {
  readonly transport: UwsTransport;
}

export type UwsSocket = WebSocket<OnSocket>;

/** Messages kept before `start`; a peer that sends more by then is cut off. */
const maxEarly = 1_024;

/**
 * The broker's end of a WebSocket of uWebSockets.js, which reads, checks, and answers pings. Made
 * before the upgrade; `opened` completes it. Its reading cannot be paused.
 *
 * The socket object must not be touched once it is closed: it is dropped then.
 */
export class UwsTransport implements BatchTransport, ProbeTransport {
  #ws: UwsSocket | undefined;
  #on: TransportEvents | undefined;
  #queuedBytes = 0;
  #closing: { readonly code: number; readonly reason: string } | undefined;
  #grace: NodeJS.Timeout | undefined;
  /** Settled by the next pong. Whoever asks meanwhile shares it. */
  #pong: PromiseWithResolvers<void> | undefined;
  /** What came before `start`. */
  #early: string[] | undefined;
  #end: { readonly code: number; readonly reason: string } | undefined;
  readonly #gone: () => void;

  /** `gone` is called once, when the socket is closed. */
  constructor(gone: () => void) {
    this.#gone = gone;
  }

  /** What the socket said last: asking it costs a call into native code. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  start(on: TransportEvents): void {
    queueMicrotask(() => {
      this.#on = on;
      for (const text of this.#early?.splice(0) ?? []) on.message(text);
      this.#early = undefined;
      if (this.#end) on.closed(this.#end.code, this.#end.reason);
    });
  }

  send(text: string): void {
    this.sendBatch(new FrameBatch([new OutboundFrame(text)]));
  }

  /** Many share a system call, as far as the library's buffer goes. */
  sendBatch({ frames }: FrameBatch): void {
    const ws = this.#ws;
    const [first] = frames;
    if (!ws || !first || this.#closing) return;
    if (frames.length === 1) {
      ws.send(first.utf8, false, false);
    } else {
      ws.cork(() => {
        for (const frame of frames) ws.send(frame.utf8, false, false);
      });
    }
    this.#queuedBytes = ws.getBufferedAmount();
  }

  probe(): Promise<void> {
    if (!this.#pong) {
      this.#pong = Promise.withResolvers();
      this.#ws?.ping();
    }
    return this.#pong.promise;
  }

  terminate(): void {
    this.#ws?.close();
  }

  close(code: number, reason: string): void {
    if (!this.#ws || this.#closing) return;
    this.#closing = { code, reason: closeReason(reason) };
    if (this.#queuedBytes === 0) {
      this.#sayGoodbye();
      return;
    }
    // Once the library has our goodbye it lets go of the socket and of what is queued for it, so
    // it gets that last: a peer that does not read must not hold either.
    this.#grace = setTimeout(() => this.terminate(), closeGraceMs);
    this.#grace.unref();
  }

  /** The upgrade is done. */
  opened(ws: UwsSocket): void {
    this.#ws = ws;
  }

  received(data: ArrayBuffer, isBinary: boolean): void {
    if (this.#closing) return;
    if (isBinary) this.close(1003, 'text only');
    else if (data.byteLength > maxMessageBytes) this.close(1009, 'message too big');
    else this.#take(Buffer.from(data).toString());
  }

  answered(): void {
    this.#pong?.resolve();
    this.#pong = undefined;
  }

  /** Some of what was queued has left. */
  drained(): void {
    this.#queuedBytes = this.#ws?.getBufferedAmount() ?? 0;
    if (this.#queuedBytes > 0) return;
    if (this.#closing) this.#sayGoodbye();
    else this.#on?.drained?.();
  }

  /** The socket is closed; it may be so within a call of ours. */
  ended(code: number, reason: string): void {
    this.#ws = undefined;
    this.#queuedBytes = 0;
    clearTimeout(this.#grace);
    this.#gone();
    // The library's own words for a lost link are not the peer's.
    const end = { code, reason: code === 1006 ? '' : reason };
    queueMicrotask(() => {
      if (this.#on) this.#on.closed(end.code, end.reason);
      else this.#end = end;
    });
  }

  #sayGoodbye(): void {
    if (this.#closing) this.#ws?.end(this.#closing.code, this.#closing.reason);
  }

  #take(text: string): void {
    if (this.#on) {
      this.#on.message(text);
      return;
    }
    this.#early ??= [];
    if (this.#early.length < maxEarly) this.#early.push(text);
    else this.close(1013, 'sending before anyone listens');
  }
}
