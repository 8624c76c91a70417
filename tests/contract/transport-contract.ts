import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import type { WebSocket } from 'ws';
import { FrameBatch, OutboundFrame } from '#shared/transport/frame-batch';
import {
  canBatch,
  canPause,
  canProbe,
  drainedFrom,
  type ProbeTransport,
  type Transport,
} from '#shared/transport/transport';
import { eventually } from '../eventually.ts';

/** The other end of a link, as a test drives it. */
export interface Peer {
  readonly received: readonly string[];
  /** The codes and reasons it was told, at most one. */
  readonly closes: readonly string[];
  send(text: string): void;
  close(code: number, reason: string): void;
}

/** A peer across a real wire, which can also misbehave. */
export interface WirePeer extends Peer {
  readonly socket: WebSocket;
}

export interface Link<P extends Peer = Peer> {
  /** Under test, not started yet. */
  readonly transport: Transport;
  readonly peer: P;
}

/** Opens a link that goes when the test ends. */
export type OpenLink<P extends Peer = Peer> = (t: TestContext) => Promise<Link<P>>;

const maxMessageBytes = 1_048_576;

/** What a transport told, in order. */
function record(transport: Transport) {
  const messages: string[] = [];
  const closes: string[] = [];
  let drained = 0;
  let within = false;
  const outside = () => assert.equal(within, false, 'told from within a call');
  transport.start({
    message(text) {
      outside();
      assert.deepEqual(closes, [], 'a message after the end');
      messages.push(text);
    },
    closed(code, reason) {
      outside();
      closes.push(`${code} ${reason}`);
    },
    drained() {
      outside();
      drained += 1;
    },
  });
  /** Nothing may be told while it runs. */
  const during = (action: () => void) => {
    within = true;
    action();
    within = false;
  };
  return { messages, closes, drained: () => drained, during };
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

const batchOf = (...texts: string[]): FrameBatch =>
  new FrameBatch(texts.map((text) => new OutboundFrame(text)));

function sendBatch(transport: Transport, ...texts: string[]): void {
  if (canBatch(transport)) transport.sendBatch(batchOf(...texts));
  else for (const text of texts) transport.send(text);
}

function probing(transport: Transport): ProbeTransport {
  assert.ok(canProbe(transport));
  return transport;
}

/** What every transport promises. */
export function transportContract(name: string, open: OpenLink, skip: string | false = false) {
  suite(`${name} as a Transport`, { skip }, () => {
    test('carries messages both ways, in order', async (t) => {
      const { transport, peer } = await open(t);
      const { messages } = record(transport);
      const texts = Array.from({ length: 500 }, (_, i) => `message ${i}`);
      for (const text of texts) transport.send(text);
      for (const text of texts) peer.send(text);
      await eventually(
        () => peer.received.length === 500 && messages.length === 500,
        'all of them',
      );
      assert.deepEqual(peer.received, texts);
      assert.deepEqual(messages, texts);
    });

    test('keeps what comes before the start, ahead of what comes after', async (t) => {
      const { transport, peer } = await open(t);
      for (const text of ['1', '2', '3']) peer.send(text);
      await turns(20);
      const { messages } = record(transport);
      peer.send('4');
      await eventually(() => messages.length === 4, 'four messages');
      assert.deepEqual(messages, ['1', '2', '3', '4']);
    });

    test('may send before the start', async (t) => {
      const { transport, peer } = await open(t);
      transport.send('early');
      await eventually(() => peer.received.length === 1, 'it');
      assert.deepEqual(peer.received, ['early']);
    });

    test('sends batches of one and of many, in order with the rest', async (t) => {
      const { transport, peer } = await open(t);
      record(transport);
      const many = Array.from({ length: 300 }, (_, i) => `${i} `.padEnd(200, 'x'));
      transport.send('first');
      sendBatch(transport, 'alone');
      sendBatch(transport, ...many);
      sendBatch(transport, 'last', 'of all');
      await eventually(() => peer.received.length === 304, 'all of them');
      assert.deepEqual(peer.received, ['first', 'alone', ...many, 'last', 'of all']);
    });

    test('carries every length there is a form for, both ways, alone and in one batch', async (t) => {
      const { transport, peer } = await open(t);
      const { messages } = record(transport);
      const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, maxMessageBytes];
      const texts = lengths.map((length) => 'x'.repeat(length));
      for (const text of texts) transport.send(text);
      sendBatch(transport, ...texts);
      for (const text of texts) peer.send(text);
      await eventually(
        () => peer.received.length === 2 * texts.length && messages.length === texts.length,
        'all of them',
      );
      // Lengths: a failure must not print megabytes.
      assert.deepEqual(
        peer.received.map(({ length }) => length),
        [...lengths, ...lengths],
      );
      assert.deepEqual(
        messages.map(({ length }) => length),
        lengths,
      );
      assert.ok([...peer.received, ...messages].every((text) => !/[^x]/.test(text)));
    });

    test('carries any character', async (t) => {
      const { transport, peer } = await open(t);
      const { messages } = record(transport);
      const texts = ['\0', 'é', '漢字', '\ufeff', '👍🏽', '\u{10ffff}', '\u007f\u0080\u07ff\u0800'];
      // 126 bytes in 63 characters: counted in bytes, it needs a longer header.
      texts.push('é'.repeat(63), '👀'.repeat(20_000), texts.join(' '));
      sendBatch(transport, ...texts);
      for (const text of texts) transport.send(text);
      for (const text of texts) peer.send(text);
      await eventually(
        () => peer.received.length === 2 * texts.length && messages.length === texts.length,
        'all of them',
      );
      assert.deepEqual(peer.received, [...texts, ...texts]);
      assert.deepEqual(messages, texts);
    });

    test('tells the code and the reason when the peer closes, once, and nothing after', async (t) => {
      const { transport, peer } = await open(t);
      const { messages, closes } = record(transport);
      peer.send('last words');
      peer.close(4001, 'moved away');
      await eventually(() => closes.length > 0, 'the end');
      transport.send('late');
      transport.close(1000, 'late');
      await turns(20);
      assert.deepEqual(messages, ['last words']);
      assert.deepEqual(closes, ['4001 moved away']);
    });

    test('close sends what is queued, then the code and the reason, and is told at both ends', async (t) => {
      const { transport, peer } = await open(t);
      const { closes, during } = record(transport);
      during(() => {
        transport.send('one');
        sendBatch(transport, 'two', 'three');
        transport.close(4002, 'enough');
        transport.send('ignored');
        sendBatch(transport, 'ignored');
        transport.close(1000, 'again');
      });
      await eventually(() => closes.length > 0 && peer.closes.length > 0, 'the end at both ends');
      transport.close(1000, 'and again');
      await turns(20);
      assert.deepEqual(peer.received, ['one', 'two', 'three']);
      assert.deepEqual(peer.closes, ['4002 enough']);
      assert.deepEqual(closes, ['4002 enough']);
    });

    test('receives nothing once it is closing', async (t) => {
      const { transport, peer } = await open(t);
      const { messages, closes } = record(transport);
      transport.close(1000, 'enough');
      peer.send('late');
      await eventually(() => closes.length > 0, 'the end');
      assert.deepEqual(messages, []);
    });

    test('an owner may send and close from within what it is told', async (t) => {
      const { transport, peer } = await open(t);
      const closes: number[] = [];
      transport.start({
        message(text) {
          sendBatch(transport, `${text}!`, 'bye');
          transport.close(1000, '');
        },
        closed(code) {
          closes.push(code);
          transport.send('late');
          transport.close(1000, 'late');
        },
      });
      peer.send('hello');
      await eventually(() => closes.length > 0 && peer.closes.length > 0, 'the end');
      assert.deepEqual(peer.received, ['hello!', 'bye']);
    });

    test('one that starts late is told of the end', async (t) => {
      const { transport, peer } = await open(t);
      transport.close(4003, 'never mind');
      await eventually(() => peer.closes.length > 0, 'the end at the peer');
      await turns(20);
      const { closes } = record(transport);
      await eventually(() => closes.length > 0, 'the end');
      assert.deepEqual(peer.closes, ['4003 never mind']);
    });
  });
}

/** What every transport over a socket promises, besides. */
export function socketContract(
  name: string,
  open: OpenLink<WirePeer>,
  abilities: { readonly drains: boolean; readonly probes: boolean; readonly pauses: boolean },
  skip: string | false = false,
) {
  /** Sends until a peer that does not read leaves something here. Returns what was sent. */
  function fill(transport: Transport): string[] {
    const sent: string[] = [];
    while (transport.queuedBytes < 4 * drainedFrom) {
      assert.ok(sent.length < 2_000, 'queuedBytes never rises');
      const text = `${sent.length} `.padEnd(64 * 1024, 'x');
      sent.push(text);
      transport.send(text);
    }
    return sent;
  }

  suite(`${name} as a socket`, { skip }, () => {
    test('counts what a peer leaves unread, and tells when it has left', async (t) => {
      const { transport, peer } = await open(t);
      const { drained } = record(transport);
      assert.equal(transport.queuedBytes, 0);
      peer.socket.pause();
      const sent = fill(transport);
      await turns(20);
      assert.equal(drained(), 0);
      peer.socket.resume();
      await eventually(() => peer.received.length === sent.length, 'everything');
      assert.ok(peer.received.every((text, i) => text === sent[i]));
      await eventually(() => transport.queuedBytes === 0, 'an empty queue');
      if (abilities.drains) await eventually(() => drained() > 0, 'to be told');
    });

    test('a peer that takes neither what is queued nor the goodbye is cut off', async (t) => {
      const { transport, peer } = await open(t);
      const { closes } = record(transport);
      peer.socket.pause();
      fill(transport);
      transport.close(1013, 'too slow');
      await eventually(() => closes.length > 0, 'the end');
      assert.deepEqual(closes, ['1006 ']);
      assert.equal(transport.queuedBytes, 0);
    });

    test('a slow peer that reads on gets all of it, and the goodbye', async (t) => {
      const { transport, peer } = await open(t);
      const { closes } = record(transport);
      peer.socket.pause();
      const sent = fill(transport);
      transport.close(1013, 'too slow');
      peer.socket.resume();
      await eventually(() => closes.length > 0 && peer.closes.length > 0, 'the end');
      assert.equal(peer.received.length, sent.length);
      assert.deepEqual(peer.closes, ['1013 too slow']);
    });

    test('cuts a long reason, and never a character in two', async (t) => {
      const { transport, peer } = await open(t);
      record(transport);
      transport.close(1000, 'é'.repeat(100));
      await eventually(() => peer.closes.length > 0, 'the end');
      assert.deepEqual(peer.closes, [`1000 ${'é'.repeat(61)}`]);
    });

    test('a peer that vanishes is told as 1006', async (t) => {
      const { transport, peer } = await open(t);
      const { closes } = record(transport);
      peer.socket.terminate();
      await eventually(() => closes.length > 0, 'the end');
      assert.deepEqual(closes, ['1006 ']);
    });

    test('refuses a binary message with 1003', async (t) => {
      const { transport, peer } = await open(t);
      const { messages, closes } = record(transport);
      peer.socket.send(Buffer.from('x'), { binary: true });
      peer.send('behind it');
      await eventually(() => closes.length > 0 && peer.closes.length > 0, 'the end');
      assert.deepEqual(peer.closes, ['1003 text only']);
      assert.deepEqual(messages, []);
    });

    test('refuses a message over 1 MiB with 1009', async (t) => {
      const { transport, peer } = await open(t);
      const { messages, closes } = record(transport);
      peer.socket.send('x'.repeat(maxMessageBytes + 1));
      await eventually(() => closes.length > 0 && peer.closes.length > 0, 'the end');
      assert.match(peer.closes[0] ?? '', /^1009 /);
      assert.deepEqual(messages, []);
    });

    test('puts fragments together', async (t) => {
      const { transport, peer } = await open(t);
      const { messages } = record(transport);
      for (const part of ['one ', 'mess']) peer.socket.send(part, { fin: false });
      peer.socket.send('age', { fin: true });
      await eventually(() => messages.length > 0, 'the message');
      assert.deepEqual(messages, ['one message']);
    });

    if (abilities.probes) {
      test('a probe is answered while the peer lives, and not while it is frozen', async (t) => {
        const { transport, peer } = await open(t);
        const { closes } = record(transport);
        const probe = probing(transport);
        await probe.probe();
        await Promise.all([probe.probe(), probe.probe()]);
        peer.socket.pause();
        let answered = false;
        const late = probe.probe().then(() => {
          answered = true;
        });
        await turns(100);
        assert.equal(answered, false);
        peer.socket.resume();
        await late;
        assert.deepEqual(closes, []);
      });

      test('terminate ends at once, and may be called twice', async (t) => {
        const { transport, peer } = await open(t);
        const { closes, during } = record(transport);
        const probe = probing(transport);
        during(() => {
          probe.terminate();
          probe.terminate();
          transport.send('late');
          transport.close(1000, 'late');
        });
        await eventually(() => closes.length > 0 && peer.closes.length > 0, 'the end');
        assert.deepEqual(closes, ['1006 ']);
        assert.deepEqual(peer.closes, ['1006 ']);
      });
    }

    if (abilities.pauses) {
      test('hears nothing while paused, and everything after', async (t) => {
        const { transport, peer } = await open(t);
        assert.ok(canPause(transport));
        const { messages } = record(transport);
        peer.send('before');
        await eventually(() => messages.length === 1, 'the first');
        transport.pause();
        for (const text of ['1', '2', '3']) peer.send(text);
        await turns(50);
        assert.deepEqual(messages, ['before']);
        transport.resume();
        await eventually(() => messages.length === 4, 'the rest');
        assert.deepEqual(messages, ['before', '1', '2', '3']);
      });
    }
  });
}
