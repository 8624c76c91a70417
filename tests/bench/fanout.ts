import type { Bench, BenchContext } from './bench-case.ts';
import { NatsPeer } from './peers/nats-peer.ts';
import { NexusPeer } from './peers/nexus-peer.ts';
import type { Peer } from './peers/peer.ts';
import { compare, type Side } from './rounds.ts';
import { WindowedLoad } from './windowed-load.ts';

interface Shape {
  readonly metric: string;
  readonly readers: number;
  readonly inFlight: number;
}

const shapes: readonly Shape[] = [
  { metric: 'fanout.dense', readers: 50, inFlight: 256 },
  { metric: 'fanout.sparse', readers: 10, inFlight: 4 },
];
const contentBytes = 256;
const defaultSeconds = 3;

/** What it costs the server to bring one message to many readers. */
export const fanout: Bench = {
  name: 'fanout',
  async run(context) {
    for (const shape of shapes) {
      if (context.wants(shape.metric)) await measureShape(context, shape);
    }
  },
};

async function measureShape(context: BenchContext, shape: Shape): Promise<void> {
  const nexus = await NexusPeer.start(context);
  const nats = await NatsPeer.startCore(context);
  try {
    const suffix = context.options.form === 'mention' ? '.all' : '';
    await compare(
      context,
      {
        perCpu: { metric: `${shape.metric}${suffix}`, unit: 'deliveries/cpu-s', better: 'higher' },
      },
      await fanoutSide(context, shape, nexus),
      nats && (await fanoutSide(context, shape, nats)),
    );
  } finally {
    await nats?.close();
    await nexus.close();
  }
}

/** Connects everybody and warms the server up. */
async function fanoutSide(
  context: BenchContext,
  { readers, inFlight }: Shape,
  peer: Peer,
): Promise<Side<'perCpu'>> {
  const got = new Array<number>(readers).fill(0);
  await peer.openReaders(readers, (reader, messages) => {
    got[reader] = (got[reader] ?? 0) + messages;
    load.arrived();
  });
  const publish = await peer.openPublisher({ bytes: contentBytes, most: inFlight });
  const load = new WindowedLoad({ inFlight, publish, completed: () => Math.min(...got) });
  const ms = (context.options.seconds ?? defaultSeconds) * 1000;
  let published = await load.run(ms);
  return {
    name: peer.name,
    async measure() {
      const storedBefore = await peer.stored();
      const cpuBefore = peer.server.cpuMs();
      const messages = await load.run(ms);
      const cpuSeconds = (peer.server.cpuMs() - cpuBefore) / 1000;
      published += messages;
      assertExact(peer, got, published);
      const stored = await peer.stored();
      if (stored !== undefined && stored - (storedBefore ?? 0) !== messages) {
        throw new Error(`${peer.name} stored ${stored - (storedBefore ?? 0)} of ${messages}`);
      }
      return { perCpu: (messages * readers) / cpuSeconds };
    },
  };
}

/** Every reader has every message, once. */
function assertExact(peer: Peer, got: readonly number[], published: number): void {
  const wrong = got.filter((messages) => messages !== published);
  if (wrong.length === 0) return;
  throw new Error(`${peer.name}: published ${published}, but readers got ${wrong.join(', ')}`);
}
