import { registration } from './peers/nexus-peer.ts';
import type { NexusServer } from './peers/nexus-server.ts';
import { textFrame } from './wire/ws-frames.ts';
import { type WireFrame, WsLink } from './wire/ws-link.ts';

const name = 'stalling-reader';

/** An aspect with a cursor that stops reading, loses its connection, and catches up by replay. */
export class StallingReader {
  readonly #server: NexusServer;
  readonly #token: string;
  /** Every message it was given, also those it was given twice. */
  readonly received: number[] = [];
  #link: WsLink | undefined;
  #lost = Promise.resolve(0);
  #closeCode = 0;
  #cursor = 0;
  #acked: () => void = () => undefined;
  #replayed: () => void = () => undefined;

  private constructor(server: NexusServer, token: string) {
    this.#server = server;
    this.#token = token;
  }

  static async connect(server: NexusServer): Promise<StallingReader> {
    const reader = new StallingReader(server, await server.issueToken(name));
    await reader.#connect({});
    return reader;
  }

  /** How the connection it stalled on ended; 1006 when the close frame was lost with the rest. */
  get closeCode(): number {
    return this.#closeCode;
  }

  stall(): void {
    this.#link?.pause();
  }

  /**
   * Reads again: first what is left, then the end of the connection. Then reconnects and resolves
   * at the end of the replay; live messages follow. Waits for good if nothing ended it.
   */
  async recover(): Promise<void> {
    const replayed = new Promise<void>((resolve) => {
      this.#replayed = resolve;
    });
    this.#link?.resume();
    this.#closeCode = await this.#lost;
    await this.#connect({ request_replay: true, since_msg_id: this.#cursor });
    await replayed;
  }

  close(): void {
    this.#link?.destroy();
  }

  async #connect(replay: object): Promise<void> {
    const link = await WsLink.open(this.#server.url, this.#token);
    this.#link = link;
    this.#lost = new Promise((resolve) => link.onClosed(resolve));
    const acked = new Promise<void>((resolve) => {
      this.#acked = resolve;
    });
    link.read((frame) => this.#take(frame));
    const payload = { ...registration(name), ...replay };
    link.write(textFrame(JSON.stringify({ kind: 'register', id: 'register', payload })));
    await acked;
  }

  #take({ kind, payload }: WireFrame): void {
    if (kind === 'register.ack') this.#acked();
    else if (kind === 'chat.replay.end') this.#replayed();
    else if (kind === 'chat.deliver') {
      const id = Number(payload?.['id']);
      this.received.push(id);
      this.#cursor = Math.max(this.#cursor, id);
    } else if (kind.endsWith('.error')) {
      throw new Error(`${name} got ${kind}: ${JSON.stringify(payload)}`);
    }
  }
}
