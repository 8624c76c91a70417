import { Arrivals } from '../arrivals.ts';
import { fillBacklog } from '../backlog-fill.ts';
import type { BenchContext } from '../bench-case.ts';
import { within } from '../patience.ts';
import type { ServerProcess } from '../process.ts';
import { NatsLink } from '../wire/nats-link.ts';
import { type Backlog, type BacklogOptions, patienceMs, type Recovery } from './backlog.ts';
import { ackedPublisher } from './nats-peer.ts';
import { startNatsServer } from './nats-server.ts';

const subject = 'room';
const stream = 'ROOM';
const sleeper = 'sleeper';
const deliverTo = 'deliver.sleeper';

/**
 * JetStream with messages in a file store for a durable consumer that is away. Of the kinds of
 * consumers this one is the nearest to our replay, and the fastest: everything is pushed, and one
 * acknowledgement covers all that came before.
 */
export class JetStreamBacklog implements Backlog {
  readonly name = 'jetstream';
  readonly #context: BenchContext;
  readonly #options: BacklogOptions;
  readonly #folder: string;

  private constructor(context: BenchContext, options: BacklogOptions, folder: string) {
    this.#context = context;
    this.#options = options;
    this.#folder = folder;
  }

  /** Makes the messages and kills the server. Undefined when there is no nats-server. */
  static async make(
    context: BenchContext,
    options: BacklogOptions,
  ): Promise<JetStreamBacklog | undefined> {
    const folder = context.workbench.makeFolder('jetstream');
    const server = await startOn(context, folder);
    if (!server) return undefined;
    const api = await NatsLink.open(Number(server.ready));
    await ask(api, `STREAM.CREATE.${stream}`, {
      name: stream,
      subjects: [subject],
      storage: 'file',
      retention: 'limits',
    });
    await ask(api, `CONSUMER.DURABLE.CREATE.${stream}.${sleeper}`, {
      stream_name: stream,
      config: {
        durable_name: sleeper,
        deliver_subject: deliverTo,
        deliver_policy: 'all',
        ack_policy: 'all',
        max_ack_pending: -1,
      },
    });
    const publisher = await NatsLink.open(Number(server.ready));
    await fillBacklog(options, (acked) => ackedPublisher(publisher, subject, options.bytes, acked));
    await server.kill();
    publisher.destroy();
    api.destroy();
    return new JetStreamBacklog(context, options, folder);
  }

  async recover(): Promise<Recovery> {
    const { messages } = this.#options;
    const { workbench } = this.#context;
    const folder = workbench.copyFolder(this.#folder);
    const start = performance.now();
    const server = await startOn(this.#context, folder);
    if (!server) throw new Error(`${this.name} did not start again`);
    const link = await NatsLink.open(Number(server.ready));
    try {
      const arrivals = new Arrivals(messages);
      link.count((more) => arrivals.arrived(more));
      await link.subscribe(deliverTo);
      const { first, last } = await within(
        patienceMs,
        () => `${this.name}: ${arrivals.count} of ${messages} messages arrived`,
        arrivals.all,
      );
      const cpuMs = server.cpuMs();
      return { firstMs: first - start, lastMs: last - start, cpuMs };
    } finally {
      link.destroy();
      await server.stop();
      workbench.removeFolder(folder);
    }
  }
}

/**
 * With the usual `sync_interval`: it matters when the power fails, not when the process is killed,
 * and not for reading.
 */
const startOn = (context: BenchContext, folder: string): Promise<ServerProcess | undefined> =>
  startNatsServer(context, (path) => [`jetstream { store_dir: ${JSON.stringify(path)} }`], folder);

async function ask(api: NatsLink, what: string, body: object): Promise<void> {
  const { error } = await api.request(`$JS.API.${what}`, body);
  if (error) throw new Error(`jetstream refused ${what}: ${JSON.stringify(error)}`);
}
