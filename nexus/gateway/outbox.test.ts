import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type FrameBatch, OutboundFrame } from '#shared/transport/frame-batch';
import type {
  BatchTransport,
  PausableTransport,
  ProbeTransport,
} from '#shared/transport/transport';
import { Outbox, OutboxFlusher } from './outbox.ts';

/** Notes what it is given; holds back as many bytes as it is told. */
class FakeTransport implements BatchTransport {
  readonly batches: FrameBatch[] = [];
  readonly closes: number[] = [];
  queuedBytes = 0;

  start(): void {}
  send(): void {
    throw new Error('a transport that can batch is given batches');
  }
  sendBatch(batch: FrameBatch): void {
    this.batches.push(batch);
  }
  close(code: number): void {
    this.closes.push(code);
  }
  texts(): string[][] {
    return this.batches.map(({ frames }) => frames.map(({ text }) => text));
  }
}

/** One that can be held back and asked, and does not answer. */
class PausableFake extends FakeTransport implements PausableTransport, ProbeTransport {
  readonly calls: string[] = [];
  pause(): void {
    this.calls.push('pause');
  }
  resume(): void {
    this.calls.push('resume');
  }
  probe(): Promise<void> {
    this.calls.push('probe');
    return new Promise(() => undefined);
  }
  terminate(): void {}
}

const tick = () => new Promise<void>((resolve) => process.nextTick(resolve));
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
const frame = (text: string) => new OutboundFrame(text);

function setUp(limits = { maxFrames: 3, maxBytes: 100 }, flusher = new OutboxFlusher()) {
  const transport = new FakeTransport();
  return { transport, outbox: new Outbox(transport, limits, flusher) };
}

suite('Outbox', () => {
  test('writes once per turn, everything in order', async () => {
    const { transport, outbox } = setUp();
    for (const text of ['a', 'b', 'c']) outbox.push(frame(text));
    assert.deepEqual(transport.texts(), []);
    assert.equal(outbox.queuedBytes, 3);
    await tick();
    assert.deepEqual(transport.texts(), [['a', 'b', 'c']]);
    assert.equal(outbox.queuedBytes, 0);
    outbox.push(frame('d'));
    await tick();
    assert.deepEqual(transport.texts(), [['a', 'b', 'c'], ['d']]);
  });

  test('readers of the same frames share one batch, others do not', async () => {
    const flusher = new OutboxFlusher();
    const [a, b, c] = [
      setUp(undefined, flusher),
      setUp(undefined, flusher),
      setUp(undefined, flusher),
    ];
    const shared = [frame('1'), frame('2')];
    for (const each of shared) for (const { outbox } of [a, b]) outbox.push(each);
    c.outbox.push(frame('1'));
    await tick();
    assert.equal(a.transport.batches[0], b.transport.batches[0]);
    assert.notEqual(a.transport.batches[0], c.transport.batches[0]);
    assert.deepEqual(c.transport.texts(), [['1']]);
  });

  test('closes with 1013 at the bound of frames, and sends nothing more', async () => {
    const { transport, outbox } = setUp();
    for (const text of ['a', 'b', 'c']) outbox.push(frame(text));
    assert.deepEqual(transport.closes, []);
    outbox.push(frame('d'));
    outbox.push(frame('e'));
    assert.deepEqual(transport.closes, [1013]);
    await tick();
    assert.deepEqual(transport.texts(), []);
    assert.equal(outbox.queuedBytes, 0);
  });

  test('counts bytes here and in the transport: exactly the bound is fine', async () => {
    const { transport, outbox } = setUp();
    transport.queuedBytes = 60;
    outbox.push(frame('é'.repeat(20)));
    assert.deepEqual(transport.closes, []);
    outbox.push(frame('x'));
    assert.deepEqual(transport.closes, [1013]);
  });

  test('a slow transport harms nobody else', async () => {
    const flusher = new OutboxFlusher();
    const [slow, quick] = [setUp(undefined, flusher), setUp(undefined, flusher)];
    slow.transport.queuedBytes = 100;
    const one = frame('x');
    slow.outbox.push(one);
    quick.outbox.push(one);
    await tick();
    assert.deepEqual(slow.transport.closes, [1013]);
    assert.deepEqual(quick.transport.texts(), [['x']]);
  });

  test('tells once, in a later turn, when nothing is queued here or in the transport', async () => {
    const { transport, outbox } = setUp();
    let told = 0;
    const wait = () => outbox.onceDrained(() => void told++);
    outbox.push(frame('x'));
    wait();
    transport.queuedBytes = 1;
    await turn();
    assert.equal(told, 0, 'the transport still has some of it');
    transport.queuedBytes = 0;
    outbox.drained();
    assert.equal(told, 0);
    await turn();
    outbox.drained();
    await turn();
    assert.equal(told, 1);
  });

  test('needs no word from a transport that passed everything on at once', async () => {
    const { outbox } = setUp();
    let told = 0;
    const wait = () => outbox.onceDrained(() => void told++);
    outbox.push(frame('x'));
    wait();
    await turn();
    assert.equal(told, 1);
    wait();
    await turn();
    assert.equal(told, 2, 'nor when nothing was queued at all');
  });

  test('close sends what is queued first', () => {
    const { transport, outbox } = setUp();
    outbox.push(frame('last words'));
    outbox.close(1000, 'bye');
    assert.deepEqual(transport.texts(), [['last words']]);
    assert.deepEqual(transport.closes, [1000]);
  });

  test('one that is held back counts as alive; where it cannot be, nothing is held back', async () => {
    const { outbox: plain } = setUp();
    plain.pause();
    assert.equal(plain.isHeldBack, false);
    await plain.probe();

    const transport = new PausableFake();
    const outbox = new Outbox(transport, { maxFrames: 1, maxBytes: 1 }, new OutboxFlusher());
    outbox.pause();
    assert.equal(outbox.isHeldBack, true);
    await outbox.probe();
    outbox.resume();
    assert.equal(outbox.isHeldBack, false);
    void outbox.probe();
    assert.deepEqual(transport.calls, ['pause', 'resume', 'probe']);
  });
});
