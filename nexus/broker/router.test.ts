import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Type } from 'typebox';
import { FrameCodec } from '#shared/frames/codec';
import { defineFrame } from '#shared/frames/define';
import { FrameRefused } from '#shared/frames/errors';
import { silentLog } from '#shared/sys/log';
import { MemoryTransport } from '#shared/transport/memory-transport';
import { aspectIdentity } from '../credentials/identity.ts';
import { Outbox, OutboxFlusher } from '../gateway/outbox.ts';
import { JournalError } from '../journal/errors.ts';
import { Connection } from './connection.ts';
import { aside, reads, writes } from './handler.ts';
import { Router } from './router.ts';

const done = (kind: string) =>
  defineFrame({
    kind,
    from: ['broker'],
    reply: 'none',
    payload: Type.Unknown(),
  });
const request = { from: ['aspect'], payload: Type.Object({ n: Type.Integer() }) } as const;
const Note = defineFrame({ kind: 'note', ...request, reply: done('note.result') });
const Look = defineFrame({
  kind: 'look',
  ...request,
  reply: done('look.result'),
  effect: 'reads',
});
const Hush = defineFrame({
  kind: 'hush',
  ...request,
  reply: done('hush.result'),
  replyNeedsId: true,
});
const Run = defineFrame({
  kind: 'run',
  ...request,
  reply: done('run.result'),
  error: defineFrame({
    kind: 'run.error',
    from: ['broker'],
    reply: 'none',
    payload: Type.Object({ why: Type.String(), n: Type.Unknown() }),
  }),
});
const Secret = defineFrame({
  kind: 'secret',
  from: ['operator'],
  reply: done('secret.result'),
  payload: Type.Unknown(),
});

interface Sent {
  readonly kind: string;
  readonly in_reply_to?: string;
  readonly payload?: { n?: number; code?: string; error?: string };
}

/** Long enough for every microtask and one turn of the loop. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A router whose handlers settle when the test says so. */
function setUp() {
  const started: string[] = [];
  const settle = new Map<string, { resolve(): void; reject(error: unknown): void }>();
  const slow = (kind: string) => (payload: { n: number }) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const key = `${kind} ${payload.n}`;
    started.push(key);
    settle.set(key, { resolve: () => resolve({ n: payload.n }), reject });
    return promise;
  };
  const router = new Router({
    codec: new FrameCodec([Note, Look, Hush, Run, Secret]),
    handlers: [
      writes(Note, slow('note')),
      writes(Hush, slow('hush')),
      reads(Look, slow('look')),
      aside(Run, slow('run'), ({ code }, asked) => ({
        why: code,
        n: (asked as { n?: unknown } | undefined)?.n,
      })),
      reads(Secret, () => ({})),
    ],
    log: silentLog,
  });

  const [ours, theirs] = MemoryTransport.pair();
  const outbox = new Outbox(ours, { maxFrames: 9_999, maxBytes: 9_999_999 }, new OutboxFlusher());
  const held: string[] = [];
  outbox.pause = () => void held.push('pause');
  outbox.resume = () => void held.push('resume');
  const connection = new Connection(1, aspectIdentity('wren'), outbox);
  const intake = router.open(connection);
  ours.start({
    message: (text) => intake.receive(text),
    closed: (_, reason) => connection.ended(reason),
  });
  const sent: Sent[] = [];
  const closes: number[] = [];
  theirs.start({
    message: (text) => sent.push(JSON.parse(text) as Sent),
    closed: (code) => closes.push(code),
  });
  const give = async (kind: string, n?: number, id?: string) => {
    const payload = n === undefined ? undefined : { n };
    theirs.send(JSON.stringify({ kind, id, payload }));
    await turn();
  };
  const finish = async (key: string, error?: unknown) => {
    if (error === undefined) settle.get(key)?.resolve();
    else settle.get(key)?.reject(error);
    await turn();
  };
  return { theirs, connection, intake, started, sent, closes, held, give, finish, settle };
}

suite('FrameIntake', () => {
  test('does nothing more for a connection that was expelled', async () => {
    const { connection, intake, give, finish, started, closes } = setUp();
    await give('note', 1);
    await give('look', 2);
    connection.expel(4401, 'void');
    intake.receive(JSON.stringify({ kind: 'note', payload: { n: 3 } }));
    await finish('note 1');
    assert.deepEqual(started, ['note 1'], 'neither what waited nor what still came');
    assert.deepEqual(closes, [4401]);
  });

  test('lets a read-only token do what is declared to change nothing', async () => {
    const { connection, give, started, sent } = setUp();
    connection.renew({ ...connection.identity, scope: 'read' });
    await give('note', 1, 'a');
    await give('look', 2, 'b');
    assert.deepEqual(started, ['look 2']);
    assert.deepEqual([sent[0]?.kind, sent[0]?.payload?.code], ['note.error', 'forbidden']);
  });

  test('starts writes at once, in the order of arrival', async () => {
    const { give, started } = setUp();
    await give('note', 1);
    await give('note', 2);
    await give('note', 3);
    assert.deepEqual(started, ['note 1', 'note 2', 'note 3']);
  });

  test('a read waits for the writes before it, and everything behind waits for the read', async () => {
    const { give, finish, started, sent } = setUp();
    await give('note', 1, 'a');
    await give('note', 2, 'b');
    await give('look', 3, 'c');
    await give('note', 4, 'd');
    await give('look', 5, 'e');
    assert.deepEqual(started, ['note 1', 'note 2']);
    await finish('note 2');
    assert.deepEqual(started, ['note 1', 'note 2']);
    await finish('note 1');
    assert.deepEqual(started, ['note 1', 'note 2', 'look 3']);
    await finish('look 3');
    assert.deepEqual(started, ['note 1', 'note 2', 'look 3', 'note 4']);
    await finish('note 4');
    await finish('look 5');
    assert.deepEqual(
      sent.map(({ kind, in_reply_to }) => [kind, in_reply_to]),
      [
        ['note.result', 'b'],
        ['note.result', 'a'],
        ['look.result', 'c'],
        ['note.result', 'd'],
        ['look.result', 'e'],
      ],
    );
  });

  test('a failed write frees the read behind it', async () => {
    const { give, finish, started, sent } = setUp();
    await give('note', 1, 'a');
    await give('look', 2, 'b');
    await finish('note 1', new FrameRefused('conflict', 'taken'));
    assert.deepEqual(started, ['note 1', 'look 2']);
    assert.deepEqual(sent[0]?.payload, { error: 'taken', code: 'conflict' });
    assert.equal(sent[0]?.kind, 'note.error');
    assert.equal(sent[0]?.in_reply_to, 'a');
  });

  test('answers requests without an id as pushes, except where the kind says otherwise', async () => {
    const { give, finish, sent } = setUp();
    await give('note', 1);
    await give('hush', 2);
    await give('hush', 3, 'x');
    await finish('note 1');
    await finish('hush 2');
    await finish('hush 3');
    assert.deepEqual(
      sent.map(({ kind, in_reply_to }) => [kind, in_reply_to]),
      [
        ['note.result', undefined],
        ['hush.result', 'x'],
      ],
    );
  });

  test('never crosses internal words over the wire', async () => {
    const { give, finish, sent } = setUp();
    await give('note', 1, 'a');
    await give('note', 2, 'b');
    await give('note', 3, 'c');
    await finish('note 1', new Error('SELECT secret FROM table'));
    const cause = new Error('SELECT');
    await finish('note 2', new JournalError('journal.full', 'disk', { cause }));
    await finish('note 3', new JournalError('journal.io', 'SELECT', { cause }));
    assert.deepEqual(
      sent.map(({ payload }) => payload?.code),
      ['internal', 'storage_full', 'unavailable'],
    );
    assert.equal(JSON.stringify(sent).includes('SELECT'), false);
  });

  test('tells a wrong role, an unknown kind and a bad payload apart, by code', async () => {
    const { give, sent } = setUp();
    await give('secret', undefined, 'a');
    await give('nonsense', undefined, 'b');
    await give('note', undefined, 'c');
    assert.deepEqual(
      sent.map(({ kind, in_reply_to, payload }) => [kind, in_reply_to, payload?.code]),
      [
        ['secret.error', 'a', 'forbidden'],
        ['nonsense.error', 'b', 'unsupported'],
        ['note.error', 'c', 'bad_request'],
      ],
    );
  });

  test('without an id an unknown kind gets silence, a known request its error', async () => {
    const { give, sent } = setUp();
    await give('nonsense');
    await give('hush');
    assert.equal(sent.length, 0);
    await give('secret');
    assert.equal(sent[0]?.kind, 'secret.error');
    assert.equal(sent[0]?.in_reply_to, undefined);
  });

  test('an answer that nobody waits for is dropped, whatever its kind', async () => {
    const { theirs, started, sent } = setUp();
    const text = JSON.stringify({ kind: 'note', id: 'a', in_reply_to: 'x', payload: { n: 1 } });
    theirs.send(text);
    await turn();
    assert.deepEqual(started, []);
    assert.deepEqual(sent, []);
  });

  test('nothing waits for what runs aside, and it waits for nothing but its turn', async () => {
    const { give, finish, started, sent } = setUp();
    await give('note', 1);
    await give('run', 2, 'a');
    await give('look', 3, 'b');
    await give('run', 4, 'c');
    assert.deepEqual(started, ['note 1', 'run 2'], 'the last is behind a read');
    await finish('note 1');
    await finish('look 3');
    assert.deepEqual(started, ['note 1', 'run 2', 'look 3', 'run 4']);
    await give('note', 5, 'd');
    await finish('note 5');
    await finish('run 4');
    await finish('run 2');
    assert.deepEqual(
      sent.flatMap(({ in_reply_to = [] }) => in_reply_to),
      ['b', 'd', 'c', 'a'],
    );
  });

  test('256 may run aside at once, one more is refused', async () => {
    const { give, finish, started, sent } = setUp();
    for (let n = 1; n <= 257; n++) await give('run', n, `${n}`);
    assert.equal(started.length, 256);
    assert.deepEqual(
      sent.map(({ in_reply_to, payload }) => [in_reply_to, payload]),
      [['257', { why: 'busy', n: 257 }]],
    );
    await finish('run 1');
    await give('run', 258);
    assert.equal(started.length, 257);
  });

  test('an error frame may have a shape of its own, whatever went wrong', async () => {
    const { give, finish, sent, theirs } = setUp();
    await give('run', 1, 'a');
    await finish('run 1', new Error('SELECT secret FROM table'));
    await give('run', undefined, 'b');
    theirs.send('{"kind":"run","id":"c","payload":{"n":"x"}}');
    await turn();
    assert.deepEqual(
      sent.map(({ kind, payload }) => [kind, payload]),
      [
        ['run.error', { why: 'internal', n: 1 }],
        ['run.error', { why: 'bad_request' }],
        ['run.error', { why: 'bad_request', n: 'x' }],
      ],
    );
  });

  test('an answer reaches whoever asked, once, after what was written before it', async () => {
    const { connection, theirs, give, finish, started } = setUp();
    const taken: unknown[] = [];
    const answer = async (id: string, payload: unknown) => {
      theirs.send(JSON.stringify({ kind: 'any.kind', in_reply_to: id, payload }));
      await turn();
    };
    connection.awaited.expect('q1', ({ payload }) => taken.push(payload));
    connection.awaited.expect('q2', ({ payload }) => taken.push(payload));
    await answer('q1', 1);
    await answer('q1', 'again');
    assert.deepEqual(taken, [1]);
    await give('note', 1);
    await answer('q2', 2);
    await give('note', 2);
    assert.deepEqual([taken, started], [[1], ['note 1']]);
    await finish('note 1');
    assert.deepEqual(
      [taken, started],
      [
        [1, 2],
        ['note 1', 'note 2'],
      ],
    );
  });

  test('16 undecodable messages in a row close with 1008, one good one resets the count', async () => {
    const { theirs, give, closes } = setUp();
    for (let i = 0; i < 15; i++) theirs.send('{');
    await give('nonsense');
    for (let i = 0; i < 15; i++) theirs.send('{"kind":""}');
    await turn();
    assert.deepEqual(closes, []);
    theirs.send('null');
    await turn();
    assert.deepEqual(closes, [1008]);
  });

  test('stops reading at 1024 frames under way and starts again at half', async () => {
    const { give, finish, held, started } = setUp();
    for (let n = 1; n <= 1_023; n++) await give('note', n);
    assert.deepEqual(held, []);
    await give('look', 1_024);
    assert.deepEqual(held, ['pause']);
    for (let n = 1; n <= 511; n++) await finish(`note ${n}`);
    assert.deepEqual(held, ['pause']);
    await finish('note 512');
    assert.deepEqual(held, ['pause', 'resume']);
    assert.equal(started.includes('look 1024'), false);
  });

  test('stops reading at 4 Mi characters under way, too', async () => {
    const { theirs, finish, held, started } = setUp();
    const long = (n: number) =>
      theirs.send(JSON.stringify({ kind: 'note', payload: { n, x: 'x'.repeat(1024 ** 2) } }));
    for (let n = 1; n <= 3; n++) long(n);
    await turn();
    assert.deepEqual(held, []);
    long(4);
    await turn();
    assert.deepEqual(held, ['pause']);
    await finish('note 1');
    await finish('note 2');
    assert.deepEqual(held, ['pause']);
    await finish('note 3');
    assert.deepEqual(held, ['pause', 'resume']);
    assert.equal(started.length, 4);
  });

  test('closes with 1013 what goes on sending: at 32768 frames or 16 Mi characters', async () => {
    const many = setUp();
    const text = JSON.stringify({ kind: 'look', payload: { n: 1 } });
    for (let n = 1; n < 32_768; n++) many.theirs.send(text);
    await turn();
    assert.deepEqual(many.closes, []);
    many.theirs.send(text);
    many.theirs.send(text);
    await turn();
    assert.deepEqual(many.closes, [1013]);

    const long = setUp();
    const big = JSON.stringify({ kind: 'look', payload: { n: 1, x: 'x'.repeat(1024 ** 2) } });
    for (let n = 1; n < 16; n++) long.theirs.send(big);
    await turn();
    assert.deepEqual(long.closes, []);
    long.theirs.send(big);
    await turn();
    assert.deepEqual(long.closes, [1013]);
  });

  test('starts nothing for a peer that is gone', async () => {
    const { theirs, give, finish, started, closes } = setUp();
    await give('note', 1);
    await give('look', 2);
    theirs.close(1000, 'bye');
    await turn();
    assert.deepEqual(closes, [1000]);
    await finish('note 1');
    assert.deepEqual(started, ['note 1']);
  });
});
