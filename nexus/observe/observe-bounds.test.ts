import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { chatMessage, Peer, setUpObserve } from '../../tests/fakes/observe-set-up.ts';
import { largeTurnBytes, wholeTurnEveryMs } from './subscription.ts';
import { cutMark } from './turns/open-turn.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

suite('A slow observer', () => {
  const congested = 2 * 1024 * 1024;

  test('gets nothing while it is behind, and then the newest of each turn', async () => {
    for (const form of ['snapshot', 'delta']) {
      const { hub, observe, begin, say } = setUpObserve();
      const observer = observe('iris', { form });
      begin();
      observer.queuedBytes = congested;
      for (const letter of 'abc') say(letter);
      hub.presence('iris', true, 'registered');
      await turn();
      say('d');
      assert.deepEqual(observer.seqs, [1], form);
      observer.read();
      assert.deepEqual(observer.seqs, [1, 5, 6], form);
      assert.deepEqual(observer.sent[2]?.payload['events'], [{ kind: 'text', text: 'abcd' }]);
      say('e');
      assert.deepEqual(observer.seqs, [1, 5, 6, 7], form);
    }
  });

  test('is not acknowledged before it was sent everything retained', async () => {
    const { hub } = setUpObserve();
    for (let i = 0; i < 3; i++) hub.presence('iris', true, 'registered');
    const observer = new Peer();
    observer.queuedBytes = congested;
    let isAcked = false;
    const acked = hub.subscribe(observer.connection, { aspect: 'iris' }).then(() => {
      isAcked = true;
    });
    await turn();
    assert.deepEqual([observer.seqs, isAcked], [[], false]);
    observer.read();
    await acked;
    assert.deepEqual(observer.seqs, [1, 2, 3]);
  });

  test('that ends while it is behind is not waited for', async () => {
    const { hub } = setUpObserve();
    hub.presence('iris', true, 'registered');
    const observer = new Peer();
    observer.queuedBytes = congested;
    const acked = hub.subscribe(observer.connection, { aspect: 'iris' });
    observer.connection.ended('gone');
    await acked;
    assert.deepEqual(observer.seqs, []);
  });
});

suite('A large turn', () => {
  test('is sent whole only so often, but at once when it ends', () => {
    const { clock, hub, observe, begin, say } = setUpObserve();
    const [whole, changes] = [observe('iris'), observe('iris', { form: 'delta' })];
    begin();
    say('a'.repeat(largeTurnBytes));
    say('b');
    say('c');
    assert.deepEqual(whole.seqs, [1]);
    assert.deepEqual(changes.seqs, [1, 2, 3, 4]);
    clock.advance(wholeTurnEveryMs);
    assert.deepEqual(whole.seqs, [1, 4]);
    say('d');
    clock.advance(wholeTurnEveryMs - 1);
    assert.deepEqual(whole.seqs, [1, 4]);
    hub.end('iris');
    assert.deepEqual(whole.seqs, [1, 4, 6]);
    assert.equal(whole.sent[2]?.payload['status'], 'complete');
    assert.equal(clock.pending, 0);
  });

  test('fits a frame with room to spare', () => {
    const { observe, begin, say } = setUpObserve();
    const observer = observe('iris');
    begin();
    for (let i = 0; i < 20; i++) say('\u0001'.repeat(50_000));
    const [last] = observe('iris').frames;
    assert.ok(last && last.bytes > 400 * 1024 && last.bytes < 600 * 1024, `${last?.bytes}`);
    observer.connection.ended('gone');
  });
});

suite('The memory of ObserveHub', () => {
  test('holds so many streams: the one that was silent for longest is forgotten', () => {
    const known = ['a', 'b', 'c', 'd'];
    const limits = { maxStreams: 2 };
    const { hub, observe } = setUpObserve({ known, limits });
    for (const name of ['a', 'b', 'a', 'c']) hub.presence(name, true, 'registered');
    assert.deepEqual(observe('b').seqs, []);
    const a = observe('a');
    observe('c');
    assert.deepEqual(a.seqs, [1, 2]);
    hub.presence('d', true, 'registered');
    assert.deepEqual(observe('d').seqs, [], 'both others are observed');
  });

  test('a stream that comes back counts on above everything forgotten', () => {
    const { hub, observe } = setUpObserve({ known: ['a', 'b'], limits: { maxStreams: 1 } });
    for (let i = 0; i < 3; i++) hub.presence('a', true, 'registered');
    hub.presence('b', true, 'registered');
    hub.presence('a', true, 'registered');
    assert.deepEqual(observe('a').seqs, [5]);
  });

  test('refuses a turn when every stream is needed', () => {
    const { begin } = setUpObserve({ known: ['a', 'b'], limits: { maxStreams: 1 } });
    begin('a');
    assert.throws(() => begin('b'), { code: 'too_large' });
  });

  test('holds so many bytes: the largest tail gives up its older half', () => {
    const { hub, observe } = setUpObserve({ limits: { maxBytes: 20_000 } });
    for (let id = 1; id <= 8; id++) hub.chat(chatMessage(id, 'iris', 'x'.repeat(2_000)), []);
    hub.chat(chatMessage(9, 'Wren', 'x'.repeat(2_000)), []);
    assert.deepEqual(observe('iris').seqs, [5, 6, 7, 8]);
    assert.deepEqual(observe('wren').seqs, [1]);
  });

  test('cuts a turn when open turns have it all', () => {
    const { observe, begin, say } = setUpObserve({ limits: { maxBytes: 10_000 } });
    begin('iris');
    begin('wren');
    say('x'.repeat(6_000), 'iris');
    say('y'.repeat(6_000), 'wren');
    say('z'.repeat(6_000), 'wren');
    const shown = observe('wren').sent[0]?.payload['events'];
    assert.deepEqual(shown, [{ kind: 'text', text: `${'y'.repeat(6_000)}${cutMark}` }]);
  });

  test('lets a connection observe so many streams', async () => {
    const { hub } = setUpObserve({ limits: { maxSubscriptions: 2 } });
    const { connection } = new Peer();
    await hub.subscribe(connection, { aspect: 'a' });
    await hub.subscribe(connection, { aspect: 'b' });
    await hub.subscribe(connection, { aspect: 'B' });
    assert.throws(() => hub.subscribe(connection, { aspect: 'c' }), { code: 'too_large' });
    hub.unsubscribe(connection, 'a');
    await hub.subscribe(connection, { aspect: 'c' });
  });
});
