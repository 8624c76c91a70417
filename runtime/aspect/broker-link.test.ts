import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ChatReaction, ChatSend } from '#shared/frames/chat';
import type { Envelope } from '#shared/frames/envelope';
import { FakeClock } from '#shared/sys/fake-clock';
import { newUlid } from '#shared/sys/ids';
import { silentLog } from '#shared/sys/log';
import { LinkError } from '#shared/transport/errors';
import { MemoryTransport } from '#shared/transport/memory-transport';
import { BrokerLink } from './broker-link.ts';

const registration = {
  name: 'wren',
  session_id: 'session-1',
  context_mode: 'thread',
  provider: 'loopback',
} as const;

/** Lets everything that is not waiting for time happen. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The broker's end of one link. */
class BrokerEnd {
  readonly received: Envelope[] = [];
  readonly closes: number[] = [];
  readonly #transport: MemoryTransport;

  constructor(transport: MemoryTransport) {
    this.#transport = transport;
    transport.start({
      message: (text) => this.received.push(JSON.parse(text)),
      closed: (code) => this.closes.push(code),
    });
  }

  last(kind: string): Envelope {
    const frame = this.received.findLast((each) => each.kind === kind);
    assert.ok(frame, `${kind} has come`);
    return frame;
  }

  answer(to: Envelope, kind: string, payload: object): void {
    this.push(kind, payload, to.id);
  }

  push(kind: string, payload: object, inReplyTo?: string): void {
    this.#transport.send(
      JSON.stringify({ kind, payload, ...(inReplyTo && { in_reply_to: inReplyTo }) }),
    );
  }

  accept(): void {
    const ack = { heartbeat_interval_s: 10, stale_after_s: 30 };
    this.answer(this.last('register'), 'register.ack', ack);
  }

  refuse(code: string): void {
    this.answer(this.last('register'), 'register.error', { error: `refused: ${code}`, code });
  }

  drop(): void {
    this.#transport.close(1006, 'dropped');
  }
}

/** A link with its broker, on a clock that the test moves. */
function startLink(options: { failure?: Error } = {}) {
  const clock = new FakeClock();
  const ends: BrokerEnd[] = [];
  const told: string[] = [];
  let dials = 0;
  let { failure } = options;
  const link = new BrokerLink({
    dial: async () => {
      dials += 1;
      if (failure) throw failure;
      const [ours, theirs] = MemoryTransport.pair();
      ends.push(new BrokerEnd(theirs));
      return ours;
    },
    registration,
    cursor: () => 412,
    onAdmitted: async ({ nexusId, headId }) => {
      if (nexusId) told.push(`admitted to ${nexusId} at ${headId}`);
      return nexusId !== 'another';
    },
    onPersonality: (personality) => told.push(`personality ${personality?.version ?? 'unknown'}`),
    onDeliver: ({ id }) => told.push(`message ${id}`),
    onReplayBegins: () => told.push('replay begins'),
    onReplayEnd: (upToId) => told.push(`replay ended at ${upToId}`),
    clock,
    newId: newUlid,
    log: silentLog,
  });
  let outcome = 'running';
  const running = link.run();
  running.then(
    () => {
      outcome = 'ended';
    },
    (error) => {
      outcome = error.code;
    },
  );
  return {
    link,
    clock,
    running,
    told,
    ends,
    dials: () => dials,
    outcome: () => outcome,
    fails: (error: Error | undefined) => {
      failure = error;
    },
    /** The newest link's other end, once it has come up. */
    async end(): Promise<BrokerEnd> {
      await quiet();
      const end = ends.at(-1);
      assert.ok(end, 'dialled');
      return end;
    },
    async pass(ms: number): Promise<void> {
      await quiet();
      clock.advance(ms);
      await quiet();
    },
  };
}

suite('BrokerLink registers', () => {
  test('with an id, the cursor, and the wish for a replay', async () => {
    const { link, end, told } = startLink();
    const broker = await end();
    const { id, payload } = broker.last('register');
    assert.ok(id);
    assert.deepEqual(payload, { ...registration, since_msg_id: 412, request_replay: true });
    assert.deepEqual(told, ['replay begins']);
    broker.accept();
    broker.push('chat.deliver', { id: 413, from: 'keel', content: 'hi', received_at: 'now' });
    broker.push('chat.replay.end', { aspect: 'wren', up_to_id: 413 });
    await link.ready();
    await quiet();
    assert.deepEqual(told, ['replay begins', 'message 413', 'replay ended at 413']);
  });

  test('again while the name is taken, for a minute, and then says who has it', async () => {
    const { clock, end, pass, dials, outcome, running, link } = startLink();
    const waiting = assert.rejects(link.ready(), { code: 'aspect.name_taken' });
    const begun = clock.monotonic();
    while (outcome() === 'running') {
      (await end()).refuse('conflict');
      await quiet();
      if (clock.monotonic() - begun < 60_000) assert.equal(outcome(), 'running');
      const before = dials();
      while (outcome() === 'running' && dials() === before) await pass(1_000);
    }
    await assert.rejects(running, { code: 'aspect.name_taken', message: /wren stays registered/ });
    await waiting;
    assert.ok(dials() > 4, 'it was tried again several times');
  });

  test('and works when the name becomes free within the minute', async () => {
    const { link, end, pass, outcome } = startLink();
    (await end()).refuse('conflict');
    await pass(2_000);
    (await end()).accept();
    await link.ready();
    assert.equal(outcome(), 'running');
  });

  for (const code of ['forbidden', 'bad_request', 'unsupported']) {
    test(`once only when the broker says ${code}`, async () => {
      const { end, running, link, dials } = startLink();
      (await end()).refuse(code);
      await assert.rejects(running, { code: 'aspect.refused', message: `refused: ${code}` });
      await assert.rejects(link.ready(), { code: 'aspect.refused' });
      assert.equal(dials(), 1);
    });
  }

  test('again when the broker had a failure of its own', async () => {
    const { link, end, pass } = startLink();
    (await end()).refuse('internal');
    await pass(2_000);
    (await end()).accept();
    await link.ready();
  });

  test('not at all with a token that is not accepted', async () => {
    const { running, link, dials } = startLink({
      failure: new LinkError('link.unauthorized', 'refused the token'),
    });
    await assert.rejects(running, { code: 'aspect.refused', message: 'refused the token' });
    await assert.rejects(link.ready(), { code: 'aspect.refused' });
    assert.equal(dials(), 1);
  });
});

suite('BrokerLink and who the broker says we are', () => {
  const ack = { heartbeat_interval_s: 10, stale_after_s: 30, nexus_id: 'n1', head_id: 0 };
  const personality = (version: number) => ({
    aspect: 'wren',
    version,
    nexus_md: '',
    soul_md: 'Kind.',
    primer_md: '',
    composed: 'Kind.',
    central_nexus_md: '',
    central_version: 0,
  });
  async function admitted() {
    const started = startLink();
    const broker = await started.end();
    broker.answer(broker.last('register'), 'register.ack', ack);
    broker.push('chat.deliver', { id: 5, from: 'keel', content: 'hi', received_at: 'now' });
    await quiet();
    return { ...started, broker };
  }

  test('asks before any message is passed on, and is told of changes', async () => {
    const { broker, told } = await admitted();
    const asked = broker.last('personality.get');
    assert.deepEqual(asked.payload, { aspect: 'wren' });
    assert.ok(!told.includes('message 5'));
    broker.answer(asked, 'personality.get.result', personality(3));
    await quiet();
    broker.push('personality.refresh', personality(4));
    await quiet();
    assert.deepEqual(told.slice(-3), ['personality 3', 'message 5', 'personality 4']);
  });

  test('goes on when the broker keeps none', async () => {
    const { broker, told } = await admitted();
    const refusal = { error: 'no such kind', code: 'unsupported' };
    broker.answer(broker.last('personality.get'), 'personality.get.error', refusal);
    await quiet();
    assert.deepEqual(told.slice(-2), ['personality unknown', 'message 5']);
  });

  test('waits three seconds for an answer that a relay loses, and takes a late one', async () => {
    const { broker, told, clock } = await admitted();
    clock.advance(2_999);
    await quiet();
    assert.ok(!told.includes('message 5'));
    clock.advance(1);
    await quiet();
    assert.equal(told.at(-1), 'message 5');
    broker.answer(broker.last('personality.get'), 'personality.get.result', personality(3));
    await quiet();
    assert.equal(told.at(-1), 'personality 3');
  });
});

suite('BrokerLink after a drop', () => {
  test('waits at least a second, however good the link was', async () => {
    const { end, pass, dials } = startLink();
    for (let drop = 1; drop <= 5; drop++) {
      const broker = await end();
      broker.accept();
      await quiet();
      broker.drop();
      await pass(999);
      assert.equal(dials(), drop, 'not before a second has passed');
      await pass(252);
      assert.equal(dials(), drop + 1);
    }
  });

  test('waits longer and longer, up to a minute and some jitter, while nobody is there', async () => {
    const { clock, fails, end, pass, dials } = startLink();
    const broker = await end();
    broker.accept();
    await quiet();
    fails(new LinkError('link.unreachable', 'nobody there'));
    broker.drop();
    await quiet();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      const [from, before] = [clock.monotonic(), dials()];
      while (dials() === before) await pass(100);
      waits.push(clock.monotonic() - from);
    }
    for (const [index, base] of [1, 2, 4, 8, 16, 32, 60, 60, 60].entries()) {
      const waited = waits[index] ?? 0;
      const most = base * 1_250 + 100;
      assert.ok(waited >= base * 1_000 && waited <= most, `wait ${index}: ${waited}`);
    }
  });

  test('asks again what was not answered, and only that', async () => {
    const { link, end, pass } = startLink();
    const first = await end();
    first.accept();
    const payload = { content: 'my answer', reply_to: 7, idempotency_key: 'reply:7' };
    const sent = link.request(ChatSend, payload);
    await quiet();
    assert.deepEqual(first.last('chat.send').payload, payload);
    first.drop();
    await pass(1_300);
    const second = await end();
    assert.deepEqual(
      second.received.map(({ kind }) => kind),
      ['register'],
      'first things first',
    );
    second.accept();
    await quiet();
    assert.deepEqual(second.last('chat.send').payload, payload);
    second.answer(second.last('chat.send'), 'chat.send.result', { msg_id: 8, thread_root: 7 });
    assert.deepEqual(await sent, { msg_id: 8, thread_root: 7 });
  });

  test('asks again after attempts in vain, too', async () => {
    const { link, end, pass, fails, dials } = startLink();
    const first = await end();
    first.accept();
    await quiet();
    first.drop();
    await quiet();
    fails(new LinkError('link.unreachable', 'nobody there'));
    const sent = link.request(ChatSend, { content: 'my answer' });
    const ready = link.ready();
    while (dials() < 4) await pass(1_000);
    fails(undefined);
    while (dials() < 5) await pass(1_000);
    const second = await end();
    second.accept();
    await ready;
    await quiet();
    second.answer(second.last('chat.send'), 'chat.send.result', { msg_id: 8, thread_root: 8 });
    assert.equal((await sent).msg_id, 8);
  });

  test('gives up a link that is open but silent', async () => {
    const { link, end, pass } = startLink();
    const first = await end();
    first.accept();
    const sent = link.request(ChatSend, { content: 'my answer' });
    await quiet();
    await pass(10_000);
    assert.equal(first.closes.length, 1);
    await pass(1_300);
    const second = await end();
    second.accept();
    await quiet();
    second.answer(second.last('chat.send'), 'chat.send.result', { msg_id: 8, thread_root: 8 });
    assert.equal((await sent).msg_id, 8);
  });

  test('drops what may be lost while there is no link', async () => {
    const { link, end, pass } = startLink();
    const first = await end();
    first.accept();
    await quiet();
    first.drop();
    await quiet();
    link.send(ChatReaction, { msg_id: 7, emoji: '👀' });
    await pass(1_300);
    const second = await end();
    second.accept();
    await quiet();
    assert.ok(!second.received.some(({ kind }) => kind === 'chat.reaction'));
  });
});

suite('BrokerLink when closed', () => {
  test('leaves the roster, ends the link, and may be closed again', async () => {
    const { link, end, running } = startLink();
    const broker = await end();
    broker.accept();
    await quiet();
    const closed = link.close('SIGTERM');
    await quiet();
    const farewell = broker.last('deregister');
    const reason = 'SIGTERM';
    assert.deepEqual(farewell.payload, { name: 'wren', session_id: 'session-1', reason });
    broker.answer(farewell, 'deregister', {});
    await closed;
    await link.close('again');
    await running;
    assert.deepEqual(broker.closes, [1000]);
    assert.equal(broker.received.filter(({ kind }) => kind === 'deregister').length, 1);
  });

  test('does not wait longer than two seconds for the broker', async () => {
    const { link, end, pass, running } = startLink();
    (await end()).accept();
    await quiet();
    const closed = link.close('SIGTERM');
    await pass(2_000);
    await closed;
    await running;
  });

  test('fails what waits for an answer, and what is asked later', async () => {
    const { link, end, running } = startLink();
    const broker = await end();
    broker.accept();
    await quiet();
    const sent = assert.rejects(link.request(ChatSend, { content: 'late' }), LinkError);
    const closed = link.close('SIGTERM');
    await quiet();
    broker.answer(broker.last('deregister'), 'deregister', {});
    await closed;
    await sent;
    await assert.rejects(link.request(ChatSend, { content: 'later' }), LinkError);
    await running;
  });

  test('while it waits to dial again ends at once, with what waited for a link', async () => {
    const { link, end, running, dials } = startLink();
    const broker = await end();
    broker.accept();
    await quiet();
    broker.drop();
    await quiet();
    const sent = assert.rejects(link.request(ChatSend, { content: 'late' }), LinkError);
    await link.close('SIGTERM');
    await running;
    await sent;
    assert.equal(dials(), 1);
  });

  test('while a dial is on its way neither registers nor keeps the link', async () => {
    const { promise: dialled, resolve: connect } = Promise.withResolvers<MemoryTransport>();
    const link = new BrokerLink({
      dial: () => dialled,
      registration,
      cursor: () => 0,
      onAdmitted: async () => true,
      onPersonality: () => undefined,
      onDeliver: () => undefined,
      onReplayBegins: () => undefined,
      onReplayEnd: () => undefined,
      clock: new FakeClock(),
      newId: newUlid,
      log: silentLog,
    });
    const running = link.run();
    const [ours, theirs] = MemoryTransport.pair();
    const broker = new BrokerEnd(theirs);
    await link.close('SIGTERM');
    connect(ours);
    await running;
    await quiet();
    assert.deepEqual(broker.received, []);
    assert.deepEqual(broker.closes, [1000]);
  });
});
