import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { KeepAlive, type Pinged } from './keep-alive.ts';

/** Notes what is done to it; answers when the test says so. */
class FakePeer implements Pinged {
  readonly calls: string[] = [];
  isHeldBack = false;
  #answer: () => void = () => undefined;
  readonly #keepAlive: KeepAlive;

  constructor(keepAlive: KeepAlive) {
    this.#keepAlive = keepAlive;
  }

  probe(): Promise<void> {
    this.calls.push('ping');
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  close(code: number): void {
    this.calls.push(`close ${code}`);
  }

  terminate(): void {
    this.calls.push('terminate');
    this.#keepAlive.remove(this);
  }

  async answer(): Promise<void> {
    this.#answer();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function setUp(peerCount = 1) {
  const clock = new FakeClock();
  const keepAlive = new KeepAlive(clock, { pingEveryMs: 30_000, pongWithinMs: 10_000 });
  const peers = Array.from({ length: peerCount }, () => new FakePeer(keepAlive));
  for (const each of peers) keepAlive.add(each);
  const [peer = new FakePeer(keepAlive)] = peers;
  return { clock, keepAlive, peers, peer };
}

suite('KeepAlive', () => {
  test('pings every 30 s while pongs come', async () => {
    const { clock, peer } = setUp();
    clock.advance(29_999);
    assert.deepEqual(peer.calls, []);
    for (let i = 1; i <= 3; i++) {
      clock.advance(1);
      assert.equal(peer.calls.length, i);
      await peer.answer();
      clock.advance(29_999);
    }
    assert.deepEqual(peer.calls, ['ping', 'ping', 'ping']);
  });

  test('closes with 1001 when a pong stays out for 10 s', () => {
    const { clock, peer } = setUp();
    clock.advance(39_999);
    assert.deepEqual(peer.calls, ['ping']);
    clock.advance(1);
    assert.deepEqual(peer.calls, ['ping', 'close 1001', 'terminate']);
    assert.equal(clock.pending, 0);
  });

  test('a pong just in time counts, one for the ping before does not spare the next', async () => {
    const { clock, peer } = setUp();
    clock.advance(39_999);
    await peer.answer();
    clock.advance(30_000);
    assert.deepEqual(peer.calls, ['ping', 'ping']);
    clock.advance(10_000);
    assert.deepEqual(peer.calls, ['ping', 'ping', 'close 1001', 'terminate']);
  });

  test('leaves no timer behind when the last connection ends, nor when it is closed', () => {
    const { clock, keepAlive, peers } = setUp(2);
    for (const each of peers) keepAlive.remove(each);
    assert.equal(clock.pending, 0);
    keepAlive.add(new FakePeer(keepAlive));
    assert.equal(clock.pending, 1);
    keepAlive.close();
    assert.equal(clock.pending, 0);
  });

  test('has one timer however many there are, and each keeps its own time', async () => {
    const { clock, keepAlive, peer } = setUp();
    const later = new FakePeer(keepAlive);
    clock.advance(10_000);
    keepAlive.add(later);
    assert.equal(clock.pending, 1);
    clock.advance(20_000);
    assert.deepEqual([peer.calls, later.calls], [['ping'], []]);
    clock.advance(10_000);
    assert.deepEqual(peer.calls, ['ping', 'close 1001', 'terminate']);
    assert.deepEqual(later.calls, ['ping']);
    await later.answer();
    clock.advance(29_999);
    assert.deepEqual(later.calls, ['ping']);
    clock.advance(1);
    assert.deepEqual(later.calls, ['ping', 'ping']);
  });

  test('pulls those apart that came together: 64 pings at once, the rest 20 ms later', () => {
    const { clock, peers } = setUp(150);
    const pinged = () => peers.filter(({ calls }) => calls.length > 0).length;
    clock.advance(30_000);
    assert.equal(pinged(), 64);
    clock.advance(19);
    assert.equal(pinged(), 64);
    clock.advance(1);
    assert.equal(pinged(), 128);
    clock.advance(20);
    assert.equal(pinged(), 150);
  });

  test('does not judge whom we do not read: its pong would be behind the rest', async () => {
    const { clock, peer } = setUp();
    clock.advance(30_000);
    peer.isHeldBack = true;
    clock.advance(10_000);
    assert.deepEqual(peer.calls, ['ping']);
    clock.advance(30_000);
    assert.deepEqual(peer.calls, ['ping'], 'nor is it asked');
    peer.isHeldBack = false;
    clock.advance(30_000);
    assert.deepEqual(peer.calls, ['ping', 'ping']);
    clock.advance(10_000);
    assert.deepEqual(peer.calls, ['ping', 'ping', 'close 1001', 'terminate']);
  });
});
