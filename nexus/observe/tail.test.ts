import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { StreamFrame } from './stream-frame.ts';
import { Tail } from './tail.ts';

const presence = (seq: number, bytes = 1): StreamFrame => ({
  aspect: 'iris',
  seq,
  ts: '',
  bytes,
  observed: { kind: 'presence', payload: { connected: true } },
});

const turn = (seq: number, status: 'in_flight' | 'complete', bytes = 1): StreamFrame => ({
  aspect: 'iris',
  seq,
  ts: '',
  bytes,
  observed: {
    kind: 'turn',
    payload: { turn_id: 't', label: 'main', started: '', status, events: [] },
  },
});

const seqs = (tail: Tail, since = 0) => tail.since(since).map(({ seq }) => seq);

suite('Tail', () => {
  test('gives a turn one place: that of its newest frame', () => {
    const tail = new Tail({ maxFrames: 10, maxBytes: 100 });
    tail.put(presence(1));
    tail.put(turn(2, 'in_flight'));
    tail.put(presence(3));
    assert.deepEqual(seqs(tail), [1, 2, 3]);
    tail.put(turn(4, 'in_flight', 7));
    tail.put(presence(5));
    assert.deepEqual(seqs(tail), [1, 3, 4, 5]);
    assert.equal(tail.bytes, 10);
    tail.put(turn(6, 'complete', 8));
    tail.put(turn(7, 'in_flight'));
    assert.deepEqual(seqs(tail), [1, 3, 5, 6, 7]);
    assert.equal(tail.bytes, 12);
    assert.deepEqual(seqs(tail, 5), [6, 7]);
    assert.deepEqual(seqs(tail, 7), []);
  });

  test('keeps so many frames, and gives up the oldest', () => {
    const tail = new Tail({ maxFrames: 3, maxBytes: 100 });
    for (let seq = 1; seq <= 1_000; seq++) tail.put(presence(seq));
    assert.deepEqual(seqs(tail), [998, 999, 1_000]);
    assert.deepEqual([tail.length, tail.bytes], [3, 3]);
  });

  test('keeps so many bytes', () => {
    const tail = new Tail({ maxFrames: 100, maxBytes: 10 });
    tail.put(presence(1, 5));
    tail.put(presence(2, 5));
    assert.deepEqual(seqs(tail), [1, 2]);
    tail.put(presence(3, 1));
    assert.deepEqual(seqs(tail), [2, 3]);
  });

  test('never gives up the open turn', () => {
    const tail = new Tail({ maxFrames: 3, maxBytes: 10 });
    tail.put(turn(1, 'in_flight', 9));
    for (let seq = 2; seq <= 20; seq++) tail.put(presence(seq));
    assert.deepEqual(seqs(tail), [1, 20]);
    assert.equal(tail.spareBytes, 1);
    tail.put(turn(21, 'in_flight', 11));
    assert.deepEqual(seqs(tail), [21]);
  });

  test('gives up the older half when asked', () => {
    const tail = new Tail({ maxFrames: 10, maxBytes: 100 });
    tail.put(turn(1, 'in_flight'));
    for (let seq = 2; seq <= 6; seq++) tail.put(presence(seq));
    tail.halve();
    assert.deepEqual(seqs(tail), [1, 5, 6]);
    tail.halve();
    tail.halve();
    tail.halve();
    assert.deepEqual(seqs(tail), [1]);
    assert.equal(tail.bytes, 1);
  });
});
