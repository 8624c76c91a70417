import type { Bench } from './bench-case.ts';
import { Crowd } from './crowd.ts';
import { assertManySockets } from './open-files.ts';
import type { DialPeer } from './peers/dial-peer.ts';
import { NatsDialPeer } from './peers/nats-dial-peer.ts';
import { foundNexusTown, NexusDialPeer } from './peers/nexus-dial-peer.ts';
import { compare, type Side } from './rounds.ts';
import { percentile } from './stats.ts';

/** All of them dial in a storm. */
const stormClients = 2000;
/** For `connect.p99`: how many dial in one round, and how many of them at the same time. */
const dials = 1000;
const inParallel = 50;

const firstDelivery = {
  p99Ms: { metric: 'connect.p99', unit: 'ms', better: 'lower' },
  cpuMs: { metric: 'connect.p99.cpu', unit: 'cpu-ms/client', better: 'lower' },
} as const;
const storm = {
  lastMs: { metric: 'connect.storm', unit: 'ms', better: 'lower' },
  cpuMs: { metric: 'connect.storm.cpu', unit: 'cpu-ms/client', better: 'lower' },
} as const;

/**
 * How long it takes to get in, as a named client with a secret of its own.
 *
 * `connect.p99` is the time from a client's dialling (TCP) until it has read its first message. Its
 * steps are the same on both sides: connect and log in (WebSocket upgrade with a token; `CONNECT`
 * with user and password), register or subscribe and wait for the confirmation, and then another
 * client, which was there before, says one thing to this one. Ours puts two things on disk on the
 * way, the registration and the message; NATS nothing.
 *
 * `connect.storm` is the time from when all clients of a running server, who were connected before,
 * begin to dial at once until the last has its confirmation. One that fails ends the run.
 */
export const connect: Bench = {
  name: 'connect',
  async run(context) {
    assertManySockets(stormClients);
    const town = await foundNexusTown(context, stormClients);
    const nexus = await NexusDialPeer.start(context, town);
    const nats = await NatsDialPeer.start(context, stormClients);
    try {
      if (context.wants('connect.p99')) {
        const sides = await warmedUp(firstDeliverySide, nexus, nats);
        await compare(context, firstDelivery, ...sides);
      }
      if (context.wants('connect.storm')) {
        const sides = await warmedUp(stormSide, nexus, nats);
        await compare(context, storm, ...sides);
      }
    } finally {
      await nats?.close();
      await nexus.close();
    }
  },
};

function firstDeliverySide(peer: DialPeer): Side<keyof typeof firstDelivery> {
  const crowd = new Crowd(peer);
  return {
    name: peer.name,
    async measure() {
      const latencies: number[] = [];
      const cpuBefore = peer.server.cpuMs();
      await crowd.each(dials, inParallel, async (client) => {
        const start = performance.now();
        const dialled = await crowd.dial(client);
        const message = dialled.nextMessage();
        peer.greet(client);
        await message;
        latencies.push(performance.now() - start);
      });
      const cpuMs = (peer.server.cpuMs() - cpuBefore) / dials;
      await crowd.leave();
      return { p99Ms: percentile(latencies, 99), cpuMs };
    },
  };
}

function stormSide(peer: DialPeer): Side<keyof typeof storm> {
  const crowd = new Crowd(peer);
  return {
    name: peer.name,
    async measure() {
      const cpuBefore = peer.server.cpuMs();
      const start = performance.now();
      await crowd.each(stormClients, stormClients, async (client) => {
        await crowd.dial(client);
      });
      const lastMs = performance.now() - start;
      const cpuMs = (peer.server.cpuMs() - cpuBefore) / stormClients;
      await crowd.leave();
      return { lastMs, cpuMs };
    },
  };
}

/** Both sides, after a round that does not count. */
async function warmedUp<Name extends string>(
  sideOf: (peer: DialPeer) => Side<Name>,
  nexus: DialPeer,
  nats: DialPeer | undefined,
): Promise<[Side<Name>, Side<Name> | undefined]> {
  const sides: [Side<Name>, Side<Name> | undefined] = [sideOf(nexus), nats && sideOf(nats)];
  for (const side of sides) await side?.measure();
  return sides;
}
