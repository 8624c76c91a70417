import { NatsWalker } from './nats-walker.ts';
import { TcpLink } from './tcp-link.ts';

const options = {
  verbose: false,
  pedantic: false,
  lang: 'nexus-bench',
  version: '1',
  protocol: 1,
};

/** Who a client is, where the server wants to know. */
export interface NatsLogin {
  readonly user: string;
  readonly pass: string;
}

/** A lean NATS client, the counterpart of `WsLink`. */
export class NatsLink {
  readonly #tcp: TcpLink;
  #pongs: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #requests = 0;

  private constructor(tcp: TcpLink) {
    this.#tcp = tcp;
    this.#walk();
    tcp.onClosed(() => this.#failed(new Error('nats-server closed the connection')));
  }

  /** Rejects unless it is let in. */
  static async open(port: number, login?: NatsLogin): Promise<NatsLink> {
    const link = new NatsLink(await TcpLink.open(port, () => undefined));
    link.write(`CONNECT ${JSON.stringify({ ...options, ...login })}\r\n`);
    await link.#roundTrip();
    return link;
  }

  /** Resolves once the server has the subscription. */
  async subscribe(subject: string): Promise<void> {
    this.write(`SUB ${subject} 1\r\n`);
    await this.#roundTrip();
  }

  /** From now on counts messages, without looking into them. */
  count(arrived: (messages: number) => void): void {
    this.#walk(undefined, arrived);
  }

  /** Sends a request and resolves with its decoded answer. Stops counting. */
  request(subject: string, body: object): Promise<Readonly<Record<string, unknown>>> {
    this.#requests += 1;
    const inbox = `_INBOX.request.${this.#requests}`;
    const text = JSON.stringify(body);
    return new Promise((resolve) => {
      this.#walk((payload) => resolve(JSON.parse(payload) as Record<string, unknown>));
      this.write(`SUB ${inbox} ${this.#requests}\r\nUNSUB ${this.#requests} 1\r\n`);
      this.write(`PUB ${subject} ${inbox} ${Buffer.byteLength(text)}\r\n${text}\r\n`);
    });
  }

  /** Writes ready-made commands. */
  write(commands: Buffer | string): void {
    this.#tcp.write(commands);
  }

  destroy(): void {
    this.#tcp.destroy();
  }

  #roundTrip(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pongs.push({ resolve, reject });
      this.write('PING\r\n');
    });
  }

  /** Returns whether somebody waited, and so knows. */
  #failed(error: Error): boolean {
    const waiting = this.#pongs.splice(0);
    for (const { reject } of waiting) reject(error);
    return waiting.length > 0;
  }

  #walk(message?: (payload: string) => void, arrived?: (messages: number) => void): void {
    const walker = new NatsWalker({
      ...(message && { message }),
      line: (text) => this.#takeLine(text),
    });
    this.#tcp.passTo((bytes) => {
      const messages = walker.walk(bytes);
      if (arrived && messages > 0) arrived(messages);
    });
  }

  #takeLine(text: string): void {
    if (text === 'PING') this.write('PONG\r\n');
    else if (text === 'PONG') this.#pongs.shift()?.resolve();
    else if (text.startsWith('-ERR')) {
      const error = new Error(`nats-server said ${text}`);
      if (!this.#failed(error)) throw error;
    }
  }
}
