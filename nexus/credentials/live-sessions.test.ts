import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { Connection } from '../broker/connection.ts';
import { Hub } from '../broker/hub.ts';
import { nowhere } from '../broker/test-kit.ts';
import { aspectIdentity, type Identity } from './identity.ts';
import { LiveSessions } from './live-sessions.ts';

const dayMs = 24 * 3_600_000;

function setUp() {
  const clock = new FakeClock();
  const hub = new Hub();
  const voided = new Set<string>();
  const live = new LiveSessions({ hub, clock, holds: ({ name }) => !voided.has(name) });
  let nextId = 1;
  const connect = (name: string, more: Partial<Identity> = {}) => {
    const closes: string[] = [];
    const connection = new Connection(
      nextId++,
      { ...aspectIdentity(name), ...more },
      {
        ...nowhere,
        close: (code, reason) => closes.push(`${code} ${reason.split(';')[0]}`),
      },
    );
    hub.attach(connection);
    live.watch(connection);
    return { connection, closes };
  };
  return { clock, live, voided, connect };
}

suite('LiveSessions', () => {
  test('end a connection when its token expires, and no other', () => {
    const { clock, connect } = setUp();
    const wren = connect('wren', { expiresAt: clock.now() + 1_000 });
    const anvil = connect('anvil');
    clock.advance(999);
    assert.deepEqual(wren.closes, []);
    clock.advance(1);
    assert.deepEqual(wren.closes, ['4401 the token expired']);
    assert.equal(wren.connection.isOpen, false, 'what it still sends does not count');
    clock.advance(100 * dayMs);
    assert.deepEqual(anvil.closes, []);
  });

  test('wait for a renewed token, also one that ends in years', () => {
    const { clock, live, connect } = setUp();
    const { connection, closes } = connect('wren', { expiresAt: clock.now() + 1_000 });
    const expiresAt = clock.now() + 60 * dayMs;
    live.renew(connection, { ...connection.identity, expiresAt });
    clock.advance(60 * dayMs - 1);
    assert.deepEqual(closes, []);
    clock.advance(1);
    assert.equal(closes.length, 1);
  });

  test('keep no timer for a connection that has ended', () => {
    const { clock, connect } = setUp();
    const { connection } = connect('wren', { expiresAt: clock.now() + 1_000 });
    assert.equal(clock.pending, 1);
    connection.ended('gone');
    assert.equal(clock.pending, 0);
    connect('late', { expiresAt: clock.now() }).connection.ended('gone');
    assert.equal(clock.pending, 0);
  });

  test('end what does not hold any more, when told that tokens changed', () => {
    const { live, voided, connect } = setUp();
    const [wren, anvil] = [connect('wren'), connect('anvil')];
    voided.add('wren');
    live.sweep();
    assert.deepEqual(wren.closes, ['4401 the token is void']);
    assert.deepEqual(anvil.closes, []);
  });
});
