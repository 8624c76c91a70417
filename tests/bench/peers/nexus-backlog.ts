import { Arrivals } from '../arrivals.ts';
import { fillBacklog } from '../backlog-fill.ts';
import type { BenchContext } from '../bench-case.ts';
import { within } from '../patience.ts';
import { textFrame } from '../wire/ws-frames.ts';
import { WsLink } from '../wire/ws-link.ts';
import { type Backlog, type BacklogOptions, patienceMs, type Recovery } from './backlog.ts';
import { ackedPublisher, registration } from './nexus-peer.ts';
import { NexusServer } from './nexus-server.ts';

const sleeper = 'sleeper';

/** Our broker with messages for an aspect that was registered once and is away. */
export class NexusBacklog implements Backlog {
  readonly name = 'nexus';
  readonly #context: BenchContext;
  readonly #options: BacklogOptions;
  readonly #folder: string;
  readonly #token: string;

  private constructor(
    context: BenchContext,
    options: BacklogOptions,
    left: { folder: string; token: string },
  ) {
    this.#context = context;
    this.#options = options;
    this.#folder = left.folder;
    this.#token = left.token;
  }

  /** Makes the messages and kills the broker. */
  static async make(context: BenchContext, options: BacklogOptions): Promise<NexusBacklog> {
    const folder = context.workbench.makeFolder('nexus');
    const server = await NexusServer.start(context, folder);
    const [token = '', publisherToken = ''] = await server.issueTokens([sleeper, 'publisher']);
    const reader = await WsLink.open(server.url, token);
    await reader.request('register', registration(sleeper));
    reader.destroy();
    const publisher = await WsLink.open(server.url, publisherToken);
    await fillBacklog(options, async (acked) => {
      publisher.count(acked);
      return ackedPublisher(publisher, `@${sleeper} `.padEnd(options.bytes, 'x'));
    });
    await server.process.kill();
    publisher.destroy();
    return new NexusBacklog(context, options, { folder, token });
  }

  async recover(): Promise<Recovery> {
    const { messages } = this.#options;
    const { workbench } = this.#context;
    const folder = workbench.copyFolder(this.#folder);
    const start = performance.now();
    const server = await NexusServer.start(this.#context, folder);
    const link = await WsLink.open(server.url, this.#token);
    try {
      // The acknowledgement comes first.
      const arrivals = new Arrivals(messages, 1);
      link.count((more) => arrivals.arrived(more));
      const payload = { ...registration(sleeper), request_replay: true, since_msg_id: 0 };
      link.write(textFrame(JSON.stringify({ kind: 'register', id: 'register', payload })));
      const { first, last } = await within(
        patienceMs,
        () => `${this.name}: ${arrivals.count} of ${messages} messages arrived`,
        arrivals.all,
      );
      const cpuMs = server.process.cpuMs();
      return { firstMs: first - start, lastMs: last - start, cpuMs };
    } finally {
      link.destroy();
      await server.process.stop();
      workbench.removeFolder(folder);
    }
  }
}
