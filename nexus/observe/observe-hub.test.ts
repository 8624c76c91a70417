import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { silentLog } from '#shared/sys/log';
import { chatMessage, Peer, setUpObserve } from '../../tests/fakes/observe-set-up.ts';
import { chatWaitMs } from './observe-hub.ts';

suite('ObserveHub', () => {
  test('counts every stream by itself, across all kinds', () => {
    const { hub, observe, begin, say } = setUpObserve();
    const [iris, wren] = [observe('iris'), observe('WREN')];
    hub.presence('iris', true, 'registered');
    begin();
    hub.chat(chatMessage(1, 'Wren'), ['iris']);
    say('a');
    hub.end('iris');
    assert.deepEqual(iris.kinds, ['presence', 'turn', 'chat', 'turn', 'turn']);
    assert.deepEqual(iris.seqs, [1, 2, 3, 4, 5]);
    assert.deepEqual(wren.kinds, ['chat']);
    assert.deepEqual(wren.seqs, [1]);
  });

  test('encodes a frame once for all who want the same form', () => {
    const { observe, begin, say } = setUpObserve();
    const whole = [observe('iris'), observe('iris')];
    const changes = [observe('iris', { form: 'delta' }), observe('iris', { form: 'delta' })];
    begin();
    say('a');
    assert.equal(whole[0]?.frames[1], whole[1]?.frames[1]);
    assert.equal(changes[0]?.frames[1], changes[1]?.frames[1]);
    assert.deepEqual(changes[0]?.kinds, ['turn_delta', 'turn_delta']);
  });

  test('sends what is retained above a position, one frame for each turn, then what comes', () => {
    const { hub, observe, begin, say } = setUpObserve();
    hub.presence('iris', true, 'registered');
    begin('iris', 't1');
    say('a');
    hub.end('iris');
    begin('iris', 't2');
    say('b');
    assert.deepEqual(observe('iris').seqs, [1, 4, 6]);
    const later = observe('iris', { since_seq: 4 });
    assert.deepEqual(later.seqs, [6]);
    say('c');
    assert.deepEqual(later.seqs, [6, 7]);
    assert.deepEqual(later.sent[1]?.payload['events'], [{ kind: 'text', text: 'bc' }]);
  });

  test('sends everything for a position of another epoch, or one that was never reached', () => {
    const { hub, observe } = setUpObserve();
    hub.presence('iris', true, 'registered');
    hub.presence('iris', true, 'registered');
    assert.deepEqual(observe('iris', { since_seq: 2, epoch: 'e1' }).seqs, []);
    assert.deepEqual(observe('iris', { since_seq: 2 }).seqs, []);
    assert.deepEqual(observe('iris', { since_seq: 2, epoch: 'e0' }).seqs, [1, 2]);
    assert.deepEqual(observe('iris', { since_seq: 3 }).seqs, [1, 2]);
  });

  test('replays again when asked again, and stops when told so', () => {
    const { hub, observe } = setUpObserve();
    hub.presence('iris', true, 'registered');
    const observer = observe('iris');
    observe('iris', {}, observer);
    hub.presence('iris', true, 'registered');
    assert.deepEqual(observer.seqs, [1, 1, 2]);
    hub.unsubscribe(observer.connection, 'IRIS');
    hub.presence('iris', true, 'registered');
    assert.deepEqual(observer.seqs, [1, 1, 2]);
  });

  test('forgets an observer whose connection ended', () => {
    const { hub, observe } = setUpObserve();
    const observer = observe('iris');
    observer.connection.ended('gone');
    hub.presence('iris', true, 'registered');
    assert.deepEqual(observer.seqs, []);
  });

  test('has streams for known names only, who may be followed before they are', () => {
    const known = ['iris'];
    const { hub, observe, written } = setUpObserve({ known });
    const observer = observe('newcomer');
    hub.chat(chatMessage(1, 'operator'), ['iris', 'newcomer']);
    assert.deepEqual(observer.seqs, []);
    assert.deepEqual(
      written.map(({ aspect }) => aspect),
      ['iris'],
    );
    known.push('Newcomer');
    hub.chat(chatMessage(2, 'operator'), ['Newcomer']);
    assert.deepEqual(observer.seqs, [1]);
  });

  test('whoever is in the roster is known', () => {
    const { hub, observe } = setUpObserve({ known: [] });
    const observer = observe('guest');
    hub.presence('Guest', true, 'registered');
    hub.presence('Guest', false, `bye ${'x'.repeat(1_000)}`);
    assert.deepEqual(
      observer.sent.map(({ payload }) => payload),
      [
        { connected: true, reason: 'registered' },
        { connected: false, reason: `bye ${'x'.repeat(196)}` },
      ],
    );
  });

  test('gives the sink each turn once, when it has ended, and all the rest as it comes', () => {
    const { hub, begin, say, written } = setUpObserve();
    hub.presence('iris', true, 'registered');
    begin();
    say('a');
    hub.end('iris');
    hub.presence('iris', false, 'ws_closed');
    assert.deepEqual(
      written.map(({ observed, seq }) => [observed.kind, seq]),
      [
        ['presence', 1],
        ['turn', 4],
        ['presence', 5],
      ],
    );
  });

  test('an event without a turn is refused, and makes no stream', () => {
    const { hub, say } = setUpObserve();
    assert.throws(() => say('a'), { code: 'not_found' });
    assert.throws(() => hub.end('iris'), { code: 'not_found' });
  });
});

suite('A turn whose connection ends', () => {
  const endings = (observer: Peer) =>
    observer.sent
      .filter(({ payload }) => payload['status'] === 'errored')
      .map(({ payload }) => payload['error']);

  test('is closed as errored, once, in front of the presence frame', () => {
    const { hub, peer, observe, begin } = setUpObserve();
    const observer = observe('iris');
    begin();
    hub.presence('iris', false, 'ws_closed');
    peer.connection.ended('gone');
    assert.deepEqual(observer.kinds, ['turn', 'turn', 'presence']);
    assert.deepEqual(endings(observer), ['connection lost']);
  });

  test('is closed also when its name has moved to another connection by then', () => {
    const { peer, observe, begin } = setUpObserve();
    const observer = observe('iris');
    begin();
    peer.connection.ended('superseded');
    assert.deepEqual(endings(observer), ['connection lost']);
  });

  test('goes on when another connection took it over', () => {
    const { hub, peer, observe, begin, say } = setUpObserve();
    const observer = observe('iris');
    const next = new Peer();
    begin();
    say('a', 'iris', next);
    peer.connection.ended('superseded');
    assert.deepEqual(endings(observer), []);
    hub.end('iris');
    assert.equal(observer.sent.at(-1)?.payload['status'], 'complete');
    next.connection.ended('gone');
    assert.deepEqual(endings(observer), []);
  });

  test('does not end the turns of others behind the same connection that are over', () => {
    const { hub, peer, observe, begin } = setUpObserve();
    const [iris, wren] = [observe('iris'), observe('wren')];
    begin('iris');
    begin('wren');
    hub.end('iris');
    peer.connection.ended('gone');
    assert.deepEqual(endings(iris), []);
    assert.deepEqual(endings(wren), ['connection lost']);
  });

  test('ends with a deregistration too', () => {
    const { hub, observe, begin } = setUpObserve();
    const observer = observe('iris');
    begin();
    hub.presence('iris', false, 'holidays');
    assert.deepEqual(endings(observer), ['deregistered']);
  });
});

suite('Chat in streams', () => {
  test('waits while nobody observes, and comes before whatever else happens', () => {
    const { clock, hub, begin, written } = setUpObserve();
    hub.chat(chatMessage(1), ['iris']);
    assert.equal(written.length, 0);
    clock.advance(chatWaitMs);
    assert.equal(written.length, 2);
    hub.chat(chatMessage(2), ['iris']);
    begin();
    hub.end('iris');
    assert.deepEqual(
      written.filter(({ aspect }) => aspect === 'iris').map(({ observed }) => observed.kind),
      ['chat', 'chat', 'turn'],
    );
    assert.equal(clock.pending, 0);
  });

  test('is there for one who subscribes while it waits', () => {
    const { hub, observe } = setUpObserve();
    hub.chat(chatMessage(1), ['iris']);
    hub.chat(chatMessage(2), ['iris']);
    assert.deepEqual(observe('iris').seqs, [1, 2]);
  });

  test('is left out beyond the bound, which is told once a minute at most', () => {
    const warned: object[] = [];
    const log = { ...silentLog, warn: (facts: object | string) => warned.push(Object(facts)) };
    const { clock, hub, observe } = setUpObserve({
      limits: { backlog: { maxMessages: 4, maxLength: 1_000 } },
      log,
    });
    const busySecond = () => {
      for (let id = 1; id <= 5; id++) hub.chat(chatMessage(id), ['iris']);
      clock.advance(chatWaitMs);
    };
    busySecond();
    busySecond();
    assert.deepEqual(warned, [{ count: 3 }]);
    clock.advance(60_000);
    busySecond();
    assert.deepEqual(warned, [{ count: 3 }, { count: 6 }]);
    assert.equal(observe('iris').seqs.length, 6);
  });

  test('is given to the sink when the hub closes, and no more after that', () => {
    const { clock, hub, written } = setUpObserve();
    hub.chat(chatMessage(1), ['iris']);
    hub.close();
    hub.close();
    hub.chat(chatMessage(2), ['iris']);
    assert.equal(written.length, 2);
    assert.equal(clock.pending, 0);
  });
});
