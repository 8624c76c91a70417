import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** All links read into it, one after the other, so that it stays in the processor's cache. */
const sharedBuffer = Buffer.allocUnsafe(256 * 1024);

/** Takes what a link reads. The bytes are valid during the call only. */
export type TakeBytes = (bytes: Buffer) => void;

/** A bare TCP connection to this machine. */
export class TcpLink {
  readonly #socket: Socket;
  #take: TakeBytes;
  #onClosed: () => void = () => undefined;

  private constructor(port: number, take: TakeBytes) {
    this.#take = take;
    const onread = {
      buffer: sharedBuffer,
      callback: (bytes: number) => {
        this.#take(sharedBuffer.subarray(0, bytes));
        return true;
      },
    };
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread });
    // The close that follows is what counts.
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => this.#onClosed());
  }

  static async open(port: number, take: TakeBytes): Promise<TcpLink> {
    const link = new TcpLink(port, take);
    await once(link.#socket, 'connect');
    return link;
  }

  /** From now on, somebody else takes what is read. */
  passTo(take: TakeBytes): void {
    this.#take = take;
  }

  /** `listener` runs once, when the connection is gone, whoever ended it. */
  onClosed(listener: () => void): void {
    this.#onClosed = listener;
  }

  write(bytes: Buffer | string): void {
    this.#socket.write(bytes);
  }

  /** Stops reading: what arrives stays in the kernel, and then with the sender. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
