import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { suite, test } from 'node:test';
import type { WebSocket } from 'ws';
import { FakeClock } from '#shared/sys/fake-clock';
import { keepAlive } from './keep-alive.ts';

class FakeSocket extends EventEmitter {
  readonly calls: string[] = [];
  ping(): void {
    this.calls.push('ping');
  }
  close(code: number): void {
    this.calls.push(`close ${code}`);
  }
  terminate(): void {
    this.calls.push('terminate');
    this.emit('close');
  }
}

function setUp() {
  const clock = new FakeClock();
  const socket = new FakeSocket();
  keepAlive(socket as unknown as WebSocket, clock, { pingEveryMs: 30_000, pongWithinMs: 10_000 });
  return { clock, socket };
}

suite('keepAlive', () => {
  test('pings every 30 s while pongs come', () => {
    const { clock, socket } = setUp();
    clock.advance(29_999);
    assert.deepEqual(socket.calls, []);
    for (let i = 1; i <= 3; i++) {
      clock.advance(1);
      assert.equal(socket.calls.length, i);
      socket.emit('pong');
      clock.advance(29_999);
    }
    assert.deepEqual(socket.calls, ['ping', 'ping', 'ping']);
  });

  test('closes with 1001 when a pong stays out for 10 s', () => {
    const { clock, socket } = setUp();
    clock.advance(39_999);
    assert.deepEqual(socket.calls, ['ping']);
    clock.advance(1);
    assert.deepEqual(socket.calls, ['ping', 'close 1001', 'terminate']);
    assert.equal(clock.pending, 0);
  });

  test('leaves no timer behind when the socket ends', () => {
    const { clock, socket } = setUp();
    socket.emit('close');
    assert.equal(clock.pending, 0);
  });
});
