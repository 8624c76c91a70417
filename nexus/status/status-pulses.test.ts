import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { Connection } from '../broker/connection.ts';
import { Hub } from '../broker/hub.ts';
import { nowhere } from '../broker/test-kit.ts';
import { operatorIdentity } from '../credentials/identity.ts';
import { StatusPulses } from './status-pulses.ts';

function setUp() {
  const clock = new FakeClock();
  const hub = new Hub();
  const sent: string[] = [];
  const operator = new Connection(1, operatorIdentity, {
    ...nowhere,
    push: ({ text }) => {
      const { aspect, phase, ts } = JSON.parse(text).payload;
      sent.push(`${aspect} ${phase} ${Date.parse(ts) - Date.UTC(2026, 0, 1)}`);
    },
  });
  hub.subscribe('status', operator);
  const pulses = new StatusPulses({ hub, clock, pulseEveryMs: 500 });
  const say = (aspect: string, type: string) => pulses.activity(aspect, type, {});
  return { clock, hub, operator, sent, say };
}

suite('StatusPulses', () => {
  test('sends the first at once, and of what follows too soon the latest', () => {
    const { clock, sent, say } = setUp();
    say('wren', 'a');
    clock.advance(100);
    for (const type of ['b', 'c', 'd']) say('wren', type);
    assert.deepEqual(sent, ['wren a 0']);
    clock.advance(399);
    assert.deepEqual(sent, ['wren a 0']);
    clock.advance(1);
    assert.deepEqual(sent, ['wren a 0', 'wren d 100']);
    say('wren', 'e');
    clock.advance(499);
    assert.equal(sent.length, 2, 'the bound holds after a late one too');
    clock.advance(1);
    assert.deepEqual(sent.slice(2), ['wren e 500']);
  });

  test('one aspect does not hold up another', () => {
    const { sent, say } = setUp();
    say('wren', 'a');
    say('anvil', 'a');
    say('WREN', 'b');
    assert.deepEqual(sent, ['wren a 0', 'anvil a 0']);
  });

  test('leaves no timer behind once all is quiet, and needs none without subscribers', () => {
    const { clock, hub, operator, sent, say } = setUp();
    say('wren', 'a');
    say('wren', 'b');
    clock.advance(1_000);
    assert.equal(clock.pending, 0);
    hub.unsubscribe('status', operator);
    say('wren', 'c');
    assert.equal(clock.pending, 0);
    assert.equal(sent.length, 2);
  });
});
