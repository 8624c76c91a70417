import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './bench-case.ts';
import { Crowd } from './crowd.ts';
import { assertManySockets } from './open-files.ts';
import type { DialPeer } from './peers/dial-peer.ts';
import { NatsDialPeer } from './peers/nats-dial-peer.ts';
import { foundNexusTown, NexusDialPeer } from './peers/nexus-dial-peer.ts';
import { compare, type Side } from './rounds.ts';

const clients = 2000;
const inParallel = 50;
/** How long everybody is idle before the server's memory is read. */
const defaultSeconds = 5;

const metrics = {
  kb: { metric: 'idle.rss', unit: 'KB/connection', better: 'lower' },
} as const;

/**
 * What one connected, registered client that says nothing costs in resident memory: by how much
 * the server's grew, divided by the clients. Each measurement has a fresh server, which knows the
 * clients' secrets already and has one client, because memory once taken is rarely given back.
 */
export const idle: Bench = {
  name: 'idle',
  async run(context) {
    assertManySockets(clients);
    const seconds = context.options.seconds ?? defaultSeconds;
    const town = await foundNexusTown(context, clients);
    const nats = await NatsDialPeer.start(context, clients);
    await nats?.close();
    await compare(
      context,
      metrics,
      idleSide('nexus', seconds, () => NexusDialPeer.start(context, town)),
      nats && idleSide(nats.name, seconds, () => NatsDialPeer.start(context, clients)),
    );
  },
};

function idleSide(
  name: string,
  seconds: number,
  start: () => Promise<DialPeer | undefined>,
): Side<keyof typeof metrics> {
  return {
    name,
    async measure() {
      const peer = await start();
      if (!peer) throw new Error(`${name} is gone`);
      try {
        const crowd = new Crowd(peer);
        await sleep(seconds * 1000);
        const before = peer.server.rssMb();
        await crowd.each(clients, inParallel, async (client) => {
          await crowd.join(peer.dial(client));
        });
        await sleep(seconds * 1000);
        const kb = ((peer.server.rssMb() - before) * 1024) / clients;
        await crowd.leave();
        return { kb };
      } finally {
        await peer.close();
      }
    },
  };
}
