import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FrameCodec } from '#shared/frames/codec';
import { FakeClock } from '#shared/sys/fake-clock';
import { silentLog } from '#shared/sys/log';
import { OutboundFrame } from '#shared/transport/frame-batch';
import { MemoryTransport } from '#shared/transport/memory-transport';
import { Hub } from '../broker/hub.ts';
import { Router } from '../broker/router.ts';
import { aspectIdentity } from '../credentials/identity.ts';
import { Gateway, type GatewayDeps } from './gateway.ts';
import type { ListenerDeps } from './listener.ts';

const limits = {
  connections: { total: 1, perAddress: 1 },
  outbox: { maxFrames: 10, maxBytes: 1_000 },
  keepAlive: { pingEveryMs: 30_000, pongWithinMs: 10_000 },
};

/** A gateway whose listener only notes what it is told. */
function setUp(more: Partial<GatewayDeps> = {}) {
  const calls: string[] = [];
  const gateway = new Gateway({
    hub: new Hub(),
    router: new Router({ codec: new FrameCodec([]), handlers: [], log: silentLog }),
    http: () => new Response(),
    authenticate: () => undefined,
    openListener: () => ({
      listen: async () => 0,
      stop: () => void calls.push('stop'),
      close: async () => void calls.push('close'),
    }),
    limits,
    clock: new FakeClock(),
    log: silentLog,
    ...more,
  });
  const join = (name: string) => {
    const [ours, theirs] = MemoryTransport.pair();
    gateway.attach(ours, aspectIdentity(name));
    theirs.start({
      message: (text) => calls.push(`${name} got ${text}`),
      closed: (code) => calls.push(`${name} closed ${code}`),
    });
  };
  return { gateway, calls, join };
}

suite('Gateway', () => {
  test('lets nobody in, says farewell to everyone, then goodbye, then closes the listener', async () => {
    const { gateway, calls, join } = setUp({ farewell: () => new OutboundFrame('farewell') });
    join('wren');
    join('anvil');
    await gateway.close();
    assert.equal(calls.at(0), 'stop');
    assert.equal(calls.at(-1), 'close');
    for (const name of ['wren', 'anvil']) {
      assert.deepEqual(
        calls.filter((call) => call.startsWith(name)),
        [`${name} got farewell`, `${name} closed 1001`],
      );
    }
    await gateway.close();
  });

  test('without a farewell there is the goodbye alone', async () => {
    const { gateway, calls, join } = setUp();
    join('wren');
    await gateway.close();
    assert.deepEqual(calls, ['stop', 'wren closed 1001', 'close']);
  });

  test('turns away who was being judged when it stopped', async () => {
    let accept: ListenerDeps['accept'] = () => undefined;
    const { gateway } = setUp({
      openListener(deps) {
        ({ accept } = deps);
        return { listen: async () => 0, stop: () => undefined, close: async () => undefined };
      },
    });
    await gateway.close();
    const [ours, theirs] = MemoryTransport.pair();
    accept(ours, aspectIdentity('wren'));
    const code = await new Promise((resolve) =>
      theirs.start({ message: () => undefined, closed: resolve }),
    );
    assert.equal(code, 1001);
  });
});
