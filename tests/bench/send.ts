import type { Bench, BenchContext } from './bench-case.ts';
import { NatsPeer } from './peers/nats-peer.ts';
import { NexusPeer } from './peers/nexus-peer.ts';
import type { Peer } from './peers/peer.ts';
import { compare, type Side } from './rounds.ts';
import { WindowedLoad } from './windowed-load.ts';

const inFlight = 256;
const contentBytes = 256;
const defaultSeconds = 3;

/** How fast one sender gets "it is on disk" back. */
export const send: Bench = {
  name: 'send',
  async run(context) {
    const nexus = await NexusPeer.start(context);
    const jetStream = await NatsPeer.startJetStream(context);
    try {
      await compare(
        context,
        {
          perSecond: { metric: 'send.durable', unit: 'acks/s', better: 'higher' },
          perCpu: { metric: 'send.durable.cpu', unit: 'acks/cpu-s', better: 'higher' },
        },
        await sendSide(context, nexus),
        jetStream && (await sendSide(context, jetStream)),
      );
    } finally {
      await jetStream?.close();
      await nexus.close();
    }
  },
};

/** Connects the sender and warms the server up. */
async function sendSide(context: BenchContext, peer: Peer): Promise<Side<'perSecond' | 'perCpu'>> {
  let acked = 0;
  const options = { bytes: contentBytes, most: inFlight };
  const publish = await peer.openAckedPublisher(options, (messages) => {
    acked += messages;
    load.arrived();
  });
  const load = new WindowedLoad({ inFlight, publish, completed: () => acked });
  const ms = (context.options.seconds ?? defaultSeconds) * 1000;
  await load.run(ms);
  return {
    name: peer.name,
    async measure() {
      const storedBefore = (await peer.stored()) ?? 0;
      const cpuBefore = peer.server.cpuMs();
      const start = performance.now();
      const messages = await load.run(ms);
      const seconds = (performance.now() - start) / 1000;
      const cpuSeconds = (peer.server.cpuMs() - cpuBefore) / 1000;
      const stored = ((await peer.stored()) ?? 0) - storedBefore;
      if (stored !== messages) throw new Error(`${peer.name} stored ${stored} of ${messages}`);
      return { perSecond: messages / seconds, perCpu: messages / cpuSeconds };
    },
  };
}
