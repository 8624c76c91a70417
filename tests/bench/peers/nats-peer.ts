import type { BenchContext } from '../bench-case.ts';
import type { ServerProcess } from '../process.ts';
import { Copies, NumberedCopies, numberPlace } from '../wire/copies.ts';
import { NatsLink } from '../wire/nats-link.ts';
import { startNatsServer } from './nats-server.ts';
import type { Arrived, Peer, Publish, PublisherOptions } from './peer.ts';

const subject = 'room';
const stream = 'ROOM';
const ackInbox = '_INBOX.acks';

/** Core NATS, or JetStream with a stream in files that is synced before each acknowledgement. */
export class NatsPeer implements Peer {
  readonly name: string;
  readonly server: ServerProcess;
  readonly #links: NatsLink[] = [];
  #api: NatsLink | undefined;

  private constructor(name: string, server: ServerProcess) {
    this.name = name;
    this.server = server;
  }

  /** Core NATS: nothing is stored. Undefined when there is no nats-server. */
  static async startCore(context: BenchContext): Promise<NatsPeer | undefined> {
    const server = await startNatsServer(context);
    return server && new NatsPeer('nats-server', server);
  }

  /** JetStream. Undefined when the nats-server is absent or too old (before 2.10). */
  static async startJetStream(context: BenchContext): Promise<NatsPeer | undefined> {
    const server = await startNatsServer(context, (folder) => [
      `jetstream { store_dir: ${JSON.stringify(folder)}, sync_interval: always }`,
    ]);
    if (!server) return undefined;
    const peer = new NatsPeer('jetstream', server);
    peer.#api = await peer.#open();
    const config = { name: stream, subjects: [subject], storage: 'file', retention: 'limits' };
    const created = await peer.#api.request(`$JS.API.STREAM.CREATE.${stream}`, config);
    if (created['error']) throw new Error(`no stream: ${JSON.stringify(created['error'])}`);
    return peer;
  }

  async openReaders(count: number, arrived: Arrived): Promise<void> {
    for (let reader = 0; reader < count; reader++) {
      const link = await this.#open();
      await link.subscribe(subject);
      link.count((messages) => arrived(reader, messages));
    }
  }

  async openPublisher({ bytes, most }: PublisherOptions): Promise<Publish> {
    const link = await this.#open();
    const copies = new Copies(Buffer.from(`PUB ${subject} ${bytes}\r\n${body(bytes)}\r\n`), most);
    return (messages) => link.write(copies.take(messages));
  }

  async openAckedPublisher(
    { bytes }: PublisherOptions,
    acked: (messages: number) => void,
  ): Promise<Publish> {
    const link = await this.#open();
    return ackedPublisher(link, subject, bytes, acked);
  }

  async stored(): Promise<number | undefined> {
    if (!this.#api) return undefined;
    const { state } = await this.#api.request(`$JS.API.STREAM.INFO.${stream}`, {});
    return (state as { messages: number }).messages;
  }

  async close(): Promise<void> {
    for (const link of this.#links.splice(0)) link.destroy();
    await this.server.stop();
  }

  async #open(): Promise<NatsLink> {
    const link = await NatsLink.open(Number(this.server.ready));
    this.#links.push(link);
    return link;
  }
}

/** Publishes to a stream's subject and asks for an answer to each message. */
export async function ackedPublisher(
  link: NatsLink,
  to: string,
  bytes: number,
  acked: (messages: number) => void,
): Promise<Publish> {
  await link.subscribe(`${ackInbox}.*`);
  link.count(acked);
  const text = `PUB ${to} ${ackInbox}.${numberPlace} ${bytes}\r\n${body(bytes)}\r\n`;
  const copies = new NumberedCopies(Buffer.from(text), text.indexOf(numberPlace));
  return (messages) => link.write(copies.take(messages));
}

const body = (bytes: number): string => 'x'.repeat(bytes);
