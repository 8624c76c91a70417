import type { Transport, TransportEvents } from './transport.ts';

/**
 * A link inside this process: what one end sends, the other receives in a later microtask, in
 * order. The embedded Frame and tests use it.
 */
export class MemoryTransport implements Transport {
  #peer: MemoryTransport | undefined;
  #events: TransportEvents | undefined;
  #closed = false;
  #early: string[] = [];
  #earlyClose: { code: number; reason: string } | undefined;

  /** Two ends of one link. */
  static pair(): [MemoryTransport, MemoryTransport] {
    const [a, b] = [new MemoryTransport(), new MemoryTransport()];
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  get queuedBytes(): number {
    return 0;
  }

  start(on: TransportEvents): void {
    queueMicrotask(() => {
      // What came before goes first, ahead of anything that is under way now.
      this.#events = on;
      for (const text of this.#early.splice(0)) this.#receive(text);
      const end = this.#earlyClose;
      if (end) this.#end(end.code, end.reason);
    });
  }

  send(text: string): void {
    const peer = this.#peer;
    if (this.#closed || !peer) return;
    queueMicrotask(() => peer.#receive(text));
  }

  close(code: number, reason: string): void {
    const peer = this.#peer;
    if (this.#closed || !peer) return;
    this.#closed = true;
    queueMicrotask(() => {
      peer.#closed = true;
      peer.#end(code, reason);
      this.#end(code, reason);
    });
  }

  #receive(text: string): void {
    if (this.#events) this.#events.message(text);
    else this.#early.push(text);
  }

  #end(code: number, reason: string): void {
    const events = this.#events;
    if (!events) {
      this.#earlyClose = { code, reason };
      return;
    }
    this.#events = { message: () => undefined, closed: () => undefined };
    events.closed(code, reason);
  }
}
