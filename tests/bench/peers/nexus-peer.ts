import type { BenchContext, BenchOptions } from '../bench-case.ts';
import type { ServerProcess } from '../process.ts';
import { Copies, NumberedCopies, numberPlace } from '../wire/copies.ts';
import { clientHeaderBytes, textFrame } from '../wire/ws-frames.ts';
import { WsLink } from '../wire/ws-link.ts';
import { NexusServer } from './nexus-server.ts';
import type { Arrived, Peer, Publish, PublisherOptions } from './peer.ts';

/** What an aspect says of itself. */
export const registration = (name: string) => ({
  name,
  session_id: `bench-${name}`,
  context_mode: 'global',
  provider: 'bench',
});

/** Text of a size. With `@all` in front it is addressed to every registered aspect. */
export const contentOf = (bytes: number, form: BenchOptions['form']): string =>
  (form === 'mention' ? '@all ' : '').padEnd(bytes, 'x');

/** Says the same again and again, and asks for an answer each time. */
export function ackedPublisher(link: WsLink, content: string): Publish {
  const text = JSON.stringify({ kind: 'chat.send', id: numberPlace, payload: { content } });
  const numberAt = clientHeaderBytes(Buffer.byteLength(text)) + text.indexOf(numberPlace);
  const copies = new NumberedCopies(textFrame(text), numberAt);
  return (messages) => link.write(copies.take(messages));
}

/** Our broker: every message is stored, routed by the chat rules, and sent to every reader. */
export class NexusPeer implements Peer {
  readonly name = 'nexus';
  readonly #server: NexusServer;
  readonly #form: BenchOptions['form'];
  readonly #links: WsLink[] = [];

  private constructor(server: NexusServer, form: BenchOptions['form']) {
    this.#server = server;
    this.#form = form;
  }

  static async start(context: BenchContext): Promise<NexusPeer> {
    return new NexusPeer(await NexusServer.start(context), context.options.form);
  }

  get server(): ServerProcess {
    return this.#server.process;
  }

  async openReaders(count: number, arrived: Arrived): Promise<void> {
    for (let reader = 0; reader < count; reader++) {
      const link = await this.#openReader(`reader-${reader}`);
      link.count((messages) => arrived(reader, messages));
    }
  }

  async openPublisher({ bytes, most }: PublisherOptions): Promise<Publish> {
    const link = await this.#openAspect('publisher');
    const payload = { content: contentOf(bytes, this.#form) };
    const copies = new Copies(textFrame(JSON.stringify({ kind: 'chat.send', payload })), most);
    return (messages) => link.write(copies.take(messages));
  }

  async openAckedPublisher(
    { bytes }: PublisherOptions,
    acked: (messages: number) => void,
  ): Promise<Publish> {
    const link = await this.#openAspect('publisher');
    link.count(acked);
    return ackedPublisher(link, contentOf(bytes, this.#form));
  }

  /** The newest message's id: ids are journal positions, and a round records nothing else. */
  async stored(): Promise<number> {
    const link = await this.#open(this.#server.operatorToken);
    const { payload } = await link.request('chat.list', { limit: 1 });
    link.destroy();
    const [newest] = (payload?.['messages'] ?? []) as { id: number }[];
    return newest?.id ?? 0;
  }

  async close(): Promise<void> {
    for (const link of this.#links.splice(0)) link.destroy();
    await this.server.stop();
  }

  async #openReader(name: string): Promise<WsLink> {
    if (this.#form === 'subscribe') {
      const link = await this.#open(this.#server.operatorToken);
      await link.request('subscribe.chat');
      return link;
    }
    const link = await this.#openAspect(name);
    await link.request('register', registration(name));
    return link;
  }

  async #openAspect(name: string): Promise<WsLink> {
    return this.#open(await this.#server.issueToken(name));
  }

  async #open(token: string): Promise<WsLink> {
    const link = await WsLink.open(this.#server.url, token);
    this.#links.push(link);
    return link;
  }
}
