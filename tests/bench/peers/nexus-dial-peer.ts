import type { BenchContext } from '../bench-case.ts';
import type { ServerProcess } from '../process.ts';
import { textFrame } from '../wire/ws-frames.ts';
import { WsLink } from '../wire/ws-link.ts';
import { clientNames, type Dialled, type DialPeer, greeterName, greeting } from './dial-peer.ts';
import { registration } from './nexus-peer.ts';
import { NexusServer } from './nexus-server.ts';

/** A data directory whose broker knows the clients, and their tokens. */
export interface NexusTown {
  readonly folder: string;
  readonly names: readonly string[];
  readonly tokens: readonly string[];
  readonly greeterToken: string;
}

/** Issues the tokens, with a broker of its own, so that none of that is part of a measurement. */
export async function foundNexusTown(context: BenchContext, clients: number): Promise<NexusTown> {
  const folder = context.workbench.makeFolder('nexus');
  const server = await NexusServer.start(context, folder);
  const names = clientNames(clients);
  const [greeterToken = '', ...tokens] = await server.issueTokens([greeterName, ...names]);
  await server.process.stop();
  return { folder, names, tokens, greeterToken };
}

/** Our broker: a client dials `/connect` with its token and sends `register`. */
export class NexusDialPeer implements DialPeer {
  readonly name = 'nexus';
  readonly #server: NexusServer;
  readonly #town: NexusTown;
  readonly #greeter: WsLink;
  /** Every client has read everything up to here. */
  #cursor = 0;

  private constructor(server: NexusServer, town: NexusTown, greeter: WsLink) {
    this.#server = server;
    this.#town = town;
    this.#greeter = greeter;
  }

  static async start(context: BenchContext, town: NexusTown): Promise<NexusDialPeer> {
    const server = await NexusServer.start(context, town.folder);
    const greeter = await WsLink.open(server.url, town.greeterToken);
    await greeter.request('register', registration(greeterName));
    return new NexusDialPeer(server, town, greeter);
  }

  get server(): ServerProcess {
    return this.#server.process;
  }

  async dial(client: number): Promise<Dialled> {
    const { names, tokens } = this.#town;
    const link = await WsLink.open(this.#server.url, tokens[client] ?? '');
    await link.request('register', registration(names[client] ?? ''));
    return dialled(link);
  }

  /** The message is on disk, and addressed to whoever registers. */
  async leaveWord(): Promise<void> {
    const { payload } = await this.#greeter.request('chat.send', { content: `@all ${greeting}` });
    this.#cursor = Number(payload?.['msg_id']) - 1;
  }

  async dialAndHear(client: number): Promise<Dialled> {
    const { names, tokens } = this.#town;
    const link = await WsLink.open(this.#server.url, tokens[client] ?? '');
    const heard = new Promise<void>((resolve, reject) => {
      link.read(({ kind, payload }) => {
        if (kind === 'chat.deliver') resolve();
        else if (kind.endsWith('.error')) reject(new Error(`${kind}: ${JSON.stringify(payload)}`));
      });
    });
    const replay = { request_replay: true, since_msg_id: this.#cursor };
    const payload = { ...registration(names[client] ?? ''), ...replay };
    link.write(textFrame(JSON.stringify({ kind: 'register', id: 'register', payload })));
    await heard;
    return dialled(link);
  }

  greet(client: number): void {
    const payload = { content: `@${this.#town.names[client]} ${greeting}` };
    this.#greeter.write(textFrame(JSON.stringify({ kind: 'chat.send', payload })));
  }

  async close(): Promise<void> {
    this.#greeter.destroy();
    await this.server.stop();
  }
}

const dialled = (link: WsLink): Dialled => ({
  nextMessage: () => new Promise((resolve) => link.count(() => resolve())),
  hangUp: () => link.destroy(),
});
