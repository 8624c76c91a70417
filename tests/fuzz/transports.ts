import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { eventually } from '../eventually.ts';
import { type StartNexusOptions, startNexus, type TestNexus } from '../integration/start-nexus.ts';
import { RawSocket } from './raw-socket.ts';

/** Every way the broker can listen; each must stand up to the same. */
export const transports: readonly { name: string; options: StartNexusOptions }[] = [
  { name: 'ws', options: {} },
];

/** A broker that is about to be wronged, and whether it lived through it. */
export interface Victim {
  readonly nexus: TestNexus;
  /** A TCP connection with a valid token at hand, not upgraded yet. */
  connect(): Promise<RawSocket>;
  /** The same, upgraded. */
  open(): Promise<RawSocket>;
  /** Hangs up every raw socket; then nothing may be left, and others must be served. */
  assertUnharmed(): Promise<void>;
}

export async function startVictim(
  t: Pick<TestContext, 'after'>,
  options: StartNexusOptions,
): Promise<Victim> {
  const nexus = await startNexus(t, options);
  const token = await nexus.token('wren');
  const openSockets = () =>
    process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const before = openSockets();
  const sockets: RawSocket[] = [];
  const hangUp = () => {
    for (const { socket } of sockets.splice(0)) socket.destroy();
  };
  t.after(hangUp);
  const connect = async () => {
    const socket = await RawSocket.connect(nexus.url, token);
    sockets.push(socket);
    return socket;
  };
  return {
    nexus,
    connect,
    open: async () => (await connect()).upgrade(),
    async assertUnharmed() {
      hangUp();
      await eventually(() => openSockets() <= before, 'every socket is gone');
      const client = await nexus.aspect('anvil');
      assert.ok((await client.post('@wren still here')) > 0);
      await client.leave();
      await eventually(() => openSockets() <= before, 'the last socket is gone');
    },
  };
}
