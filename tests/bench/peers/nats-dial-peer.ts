import { randomBytes } from 'node:crypto';
import type { BenchContext } from '../bench-case.ts';
import type { ServerProcess } from '../process.ts';
import { NatsLink, type NatsLogin } from '../wire/nats-link.ts';
import { clientNames, type Dialled, type DialPeer, greeterName, greeting } from './dial-peer.ts';
import { startNatsServer } from './nats-server.ts';

/** As long as one of our tokens. */
const secretBytes = 32;

/**
 * Core NATS with a user and a password for each client. A client connects, waits for the server's
 * answer, subscribes to its own subject and waits again, as the project's own clients do when they
 * connect, subscribe and flush.
 */
export class NatsDialPeer implements DialPeer {
  readonly name = 'nats-server';
  readonly server: ServerProcess;
  readonly #logins: readonly NatsLogin[];
  readonly #greeter: NatsLink;

  private constructor(server: ServerProcess, logins: readonly NatsLogin[], greeter: NatsLink) {
    this.server = server;
    this.#logins = logins;
    this.#greeter = greeter;
  }

  /** Undefined when there is no nats-server. */
  static async start(context: BenchContext, clients: number): Promise<NatsDialPeer | undefined> {
    const greeter = newLogin(greeterName);
    const logins = clientNames(clients).map(newLogin);
    const users = [greeter, ...logins].map(
      ({ user, pass }) => `{ user: "${user}", password: "${pass}" }`,
    );
    const server = await startNatsServer(context, () => [
      `authorization { users: [\n${users.join('\n')}\n] }`,
    ]);
    if (!server) return undefined;
    const link = await NatsLink.open(Number(server.ready), greeter);
    await link.subscribe(greeterName);
    return new NatsDialPeer(server, logins, link);
  }

  async dial(client: number): Promise<Dialled> {
    const login = this.#logins[client];
    const link = await NatsLink.open(Number(this.server.ready), login);
    await link.subscribe(login?.user ?? '');
    return dialled(link);
  }

  /** Core NATS keeps nothing: a client says its first message itself. */
  leaveWord(): Promise<void> {
    return Promise.resolve();
  }

  async dialAndHear(client: number): Promise<Dialled> {
    const login = this.#logins[client];
    const link = await NatsLink.open(Number(this.server.ready), login);
    const heard = dialled(link).nextMessage();
    link.write(`SUB ${login?.user} 1\r\n${publish(login?.user)}`);
    await heard;
    return dialled(link);
  }

  greet(client: number): void {
    this.#greeter.write(publish(this.#logins[client]?.user));
  }

  async close(): Promise<void> {
    this.#greeter.destroy();
    await this.server.stop();
  }
}

const newLogin = (user: string): NatsLogin => ({
  user,
  pass: randomBytes(secretBytes).toString('hex'),
});

const publish = (to = ''): string => `PUB ${to} ${greeting.length}\r\n${greeting}\r\n`;

const dialled = (link: NatsLink): Dialled => ({
  nextMessage: () => new Promise((resolve) => link.count(() => resolve())),
  hangUp: () => link.destroy(),
});
