import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { OutboundFrame } from '#shared/transport/frame-batch';
import { aspectIdentity } from '../credentials/identity.ts';
import { Connection } from './connection.ts';

function setUp() {
  const calls: string[] = [];
  const connection = new Connection(1, aspectIdentity('wren'), {
    queuedBytes: 0,
    push: ({ text }) => calls.push(`push ${text}`),
    close: (code) => calls.push(`close ${code}`),
    probe: () => Promise.resolve(),
    terminate: () => undefined,
    pause: () => calls.push('pause'),
    resume: () => calls.push('resume'),
    onceDrained: () => calls.push('onceDrained'),
  });
  return { calls, connection };
}

suite('Connection', () => {
  test('tells its listeners once that the peer is gone, and drops what comes after', () => {
    const { calls, connection } = setUp();
    const heard: string[] = [];
    connection.onClose((reason) => heard.push(reason));
    connection.onceDrained(() => heard.push('drained'));
    connection.ended('went away');
    connection.send(new OutboundFrame('late'));
    connection.close(1000, 'late');
    assert.deepEqual(heard, ['went away', 'drained']);
    assert.deepEqual(calls, ['onceDrained']);
    assert.equal(connection.isOpen, false);
  });

  test('tells a listener at once that comes too late', () => {
    const { connection } = setUp();
    connection.ended('went away');
    const heard: string[] = [];
    connection.onClose((reason) => heard.push(reason));
    assert.deepEqual(heard, ['went away']);
  });

  test('a listener takes the place of an earlier one with its key', () => {
    const { connection } = setUp();
    const heard: string[] = [];
    connection.onClose(() => heard.push('first'), 'registration of wren');
    connection.onClose(() => heard.push('another'), 'registration of anvil');
    connection.onClose(() => heard.push('second'), 'registration of wren');
    connection.ended('went away');
    assert.deepEqual(heard, ['second', 'another']);
  });

  test('a listener can be taken back, but not by whom it replaced', () => {
    const { connection } = setUp();
    const heard: string[] = [];
    const takeFirstBack = connection.onClose(() => heard.push('first'), 'key');
    connection.onClose(() => heard.push('second'), 'key');
    const takeThirdBack = connection.onClose(() => heard.push('third'));
    takeFirstBack();
    takeThirdBack();
    connection.ended('went away');
    assert.deepEqual(heard, ['second']);
  });
});
