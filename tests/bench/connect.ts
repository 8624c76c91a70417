import type { Bench } from './bench-case.ts';
import { Crowd } from './crowd.ts';
import { assertManySockets } from './open-files.ts';
import type { Dialled, DialPeer } from './peers/dial-peer.ts';
import { NatsDialPeer } from './peers/nats-dial-peer.ts';
import { foundNexusTown, NexusDialPeer } from './peers/nexus-dial-peer.ts';
import { compare, type Side } from './rounds.ts';
import { percentile } from './stats.ts';

/** All of them dial in a storm. */
const stormClients = 2000;
/** Otherwise: how many dial in one round, and how many of them at the same time. */
const dials = 1000;
const inParallel = 50;

const costUnit = { unit: 'cpu-ms/client', better: 'lower' } as const;
const metrics = {
  first: {
    ms: { metric: 'connect.p99', unit: 'ms', better: 'lower' },
    cpuMs: { metric: 'connect.p99.cpu', ...costUnit },
  },
  live: {
    ms: { metric: 'connect.live', unit: 'ms', better: 'lower' },
    cpuMs: { metric: 'connect.live.cpu', ...costUnit },
  },
  storm: {
    ms: { metric: 'connect.storm', unit: 'ms', better: 'lower' },
    cpuMs: { metric: 'connect.storm.cpu', ...costUnit },
  },
} as const;

/**
 * How long it takes to get in, as a named client with a secret of its own; how much server it
 * costs. Logging in is a WebSocket upgrade with a token here, and `CONNECT` with user and password
 * there.
 *
 * - `connect.p99`: from dialling (TCP) until the client has read its first message, which takes no
 *   more than two exchanges with the server: log in; then `register` with replay of one message
 *   that waits, against a subscription and one message published to it in the same write. Ours puts
 *   the registration on disk before it answers.
 * - `connect.live`: the same, but somebody else, who is connected, says the first message once the
 *   client knows that it is registered, or subscribed. Ours puts that on disk, too, before it is
 *   delivered.
 * - `connect.storm`: from when all clients of a running server, who were connected before, begin
 *   to dial at once until the last of them knows that it is registered, or subscribed.
 *
 * A client that fails ends the run.
 */
export const connect: Bench = {
  name: 'connect',
  async run(context) {
    assertManySockets(stormClients);
    const town = await foundNexusTown(context, stormClients);
    const nexus = await NexusDialPeer.start(context, town);
    const nats = await NatsDialPeer.start(context, stormClients);
    try {
      for (const [name, sideOf] of Object.entries(sides)) {
        const { ms, cpuMs } = metrics[name as keyof typeof metrics];
        if (!context.wants(ms.metric)) continue;
        const both = [sideOf(nexus), nats && sideOf(nats)] as const;
        // One round that does not count.
        for (const side of both) await side?.measure();
        await compare(context, { ms, cpuMs }, ...both);
      }
    } finally {
      await nats?.close();
      await nexus.close();
    }
  },
};

const sides = {
  first: (peer) => timedSide(peer, (client) => peer.dialAndHear(client)),
  live: (peer) =>
    timedSide(peer, async (client) => {
      const dialled = await peer.dial(client);
      const message = dialled.nextMessage();
      peer.greet(client);
      await message;
      return dialled;
    }),
  storm: stormSide,
} satisfies Record<keyof typeof metrics, (peer: DialPeer) => Side<'ms' | 'cpuMs'>>;

/** Times each of many that dial, some of them at the same time. */
function timedSide(
  peer: DialPeer,
  getIn: (client: number) => Promise<Dialled>,
): Side<'ms' | 'cpuMs'> {
  const crowd = new Crowd(peer);
  return {
    name: peer.name,
    async measure() {
      await peer.leaveWord();
      const latencies: number[] = [];
      const cpuBefore = peer.server.cpuMs();
      await crowd.each(dials, inParallel, async (client) => {
        const start = performance.now();
        await crowd.join(getIn(client));
        latencies.push(performance.now() - start);
      });
      const cpuMs = (peer.server.cpuMs() - cpuBefore) / dials;
      await crowd.leave();
      return { ms: percentile(latencies, 99), cpuMs };
    },
  };
}

/** Times all together. */
function stormSide(peer: DialPeer): Side<'ms' | 'cpuMs'> {
  const crowd = new Crowd(peer);
  return {
    name: peer.name,
    async measure() {
      const cpuBefore = peer.server.cpuMs();
      const start = performance.now();
      await crowd.each(stormClients, stormClients, async (client) => {
        await crowd.join(peer.dial(client));
      });
      const ms = performance.now() - start;
      const cpuMs = (peer.server.cpuMs() - cpuBefore) / stormClients;
      await crowd.leave();
      return { ms, cpuMs };
    },
  };
}
