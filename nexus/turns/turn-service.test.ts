import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FrameCodec } from '#shared/frames/codec';
import { TurnError, TurnResult } from '#shared/frames/turns';
import { FakeClock } from '#shared/sys/fake-clock';
import { Connection } from '../broker/connection.ts';
import { Hub } from '../broker/hub.ts';
import { nowhere } from '../broker/test-kit.ts';
import { aspectIdentity } from '../credentials/identity.ts';
import { TurnService } from './turn-service.ts';

interface Sent {
  readonly kind: string;
  readonly id: string;
  readonly target_aspect: string;
}

/** Two aspects behind one Outpost. */
function setUp() {
  const hub = new Hub();
  const clock = new FakeClock();
  const sent: Sent[] = [];
  const outpost = new Connection(1, aspectIdentity('attic'), {
    ...nowhere,
    push: ({ text }) => sent.push(JSON.parse(text) as Sent),
  });
  let nextId = 1;
  const turns = new TurnService({
    hub,
    clock,
    newId: () => `t${nextId++}`,
    codec: new FrameCodec([TurnResult, TurnError]),
    findName: () => undefined,
  });
  const bind = (name: string) => hub.bind(name, outpost, true);
  const answer = (id: string, output: string) =>
    outpost.awaited.take({ kind: 'turn.result', in_reply_to: id, payload: { output } });
  return { hub, clock, sent, outpost, turns, bind, answer };
}

suite('TurnService behind an Outpost', () => {
  test('names the aspect that each frame is for', async () => {
    const { sent, turns, bind, answer } = setUp();
    bind('wren');
    bind('anvil');
    const abort = new AbortController();
    const both = [
      turns.send('wren', { prompt: 'x' }, { signal: abort.signal }),
      turns.send('anvil', { prompt: 'y' }),
    ];
    answer('t2', 'hammered');
    abort.abort(new Error('enough'));
    const outcomes = await Promise.allSettled(both);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
    assert.deepEqual(
      sent.map(({ kind, target_aspect }) => [kind, target_aspect]),
      [
        ['turn', 'wren'],
        ['turn', 'anvil'],
        ['turn.cancel', 'wren'],
      ],
    );
  });

  test('one that leaves takes only its own turns with it', async () => {
    const { hub, turns, bind, answer } = setUp();
    const wren = bind('wren');
    bind('anvil');
    const left = assert.rejects(turns.send('wren', { prompt: 'x' }), { code: 'not_registered' });
    const stayed = turns.send('anvil', { prompt: 'y' });
    hub.unbind(wren);
    await left;
    answer('t2', 'hammered');
    assert.equal((await stayed).output, 'hammered');
  });

  test('leaves no timer and no expectation behind, however it ends', async () => {
    const { clock, hub, outpost, turns, bind, answer } = setUp();
    const route = bind('wren');
    const abort = new AbortController();
    const ends = Promise.allSettled([
      turns.send('wren', { prompt: 'answered' }),
      turns.send('wren', { prompt: 'cancelled' }, { signal: abort.signal }),
      turns.send('wren', { prompt: 'late' }, { timeoutMs: 1 }),
      turns.send('wren', { prompt: 'gone' }),
    ]);
    answer('t1', 'done');
    abort.abort();
    clock.advance(1);
    hub.unbind(route);
    await ends;
    assert.equal(clock.pending, 0);
    for (const id of ['t1', 't2', 't3', 't4']) assert.equal(outpost.awaited.has(id), false, id);
  });
});
