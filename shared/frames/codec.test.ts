import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Type } from 'typebox';
import { catalogue } from './catalogue.ts';
import { ChatRead, ChatSend } from './chat.ts';
import { FrameCodec } from './codec.ts';
import { defineFrame } from './define.ts';
import { encodeFrame } from './envelope.ts';
import { Register } from './registration.ts';

const codec = new FrameCodec(catalogue);

suite('FrameCodec', () => {
  test('reads back what encodeFrame wrote', () => {
    const text = encodeFrame('chat.read', { msg_id: 41 }, { id: 'a1' });
    const { ts, ...rest } = codec.decode(text);
    assert.deepEqual(rest, { kind: 'chat.read', id: 'a1', payload: { msg_id: 41 } });
    assert.ok(ts && Math.abs(Date.parse(ts) - Date.now()) < 5000);
  });

  test('refuses text that is no envelope', () => {
    const hostile = [
      '',
      'null',
      '[]',
      '"chat.send"',
      '{}',
      '{"kind":""}',
      '{"kind":7}',
      '{"kind":"chat.send","id":7}',
      '{"kind":"chat.send","ts":"yesterday"}',
      '{"kind":"chat.send","ts":"2026-13-41T00:00:00Z"}',
      '{"kind":"chat.send"',
    ];
    for (const text of hostile) {
      assert.throws(() => codec.decode(text), { code: 'undecodable' }, text);
    }
  });

  test('bounds what an answer carries back or quotes', () => {
    const text = (members: object) => JSON.stringify({ kind: 'chat.send', ...members });
    for (const [name, most] of [
      ['kind', 128],
      ['id', 256],
      ['in_reply_to', 256],
      ['target_aspect', 256],
    ] as const) {
      const longest = 'x'.repeat(most);
      assert.equal(codec.decode(text({ [name]: longest }))[name], longest);
      const longer = text({ [name]: `${longest}x` });
      assert.throws(() => codec.decode(longer), { code: 'undecodable', message: /too long/ });
    }
    const ts = (digits: number) => text({ ts: `2026-06-01T08:00:00.${'1'.repeat(digits)}Z` });
    assert.ok(codec.decode(ts(43)).ts);
    assert.throws(() => codec.decode(ts(44)), { code: 'undecodable' });
  });

  test('refuses a payload that nests more than 64 levels, also where it takes anything', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)]);
    assert.ok(codec.check(ChatRead, nested(64)));
    assert.throws(() => codec.check(ChatRead, nested(65)), {
      code: 'bad_request',
      message: 'chat.read: payload nests more than 64 arrays and objects',
    });
  });

  test('takes integers that every peer can hold, and no larger ones', () => {
    const send = (reply_to: number) => codec.check(ChatSend, { content: 'x', reply_to });
    assert.equal(send(2 ** 53 - 1).reply_to, 2 ** 53 - 1);
    for (const beyond of [2 ** 53, 1e21, Number.POSITIVE_INFINITY]) {
      assert.throws(() => send(beyond), { code: 'bad_request' });
    }
  });

  test('reads half a surrogate pair as U+FFFD, so that it is stored and sent as one text', () => {
    const { id, payload } = codec.decode('{"kind":"chat.send","id":"\\ud800","payload":"\\udfff"}');
    assert.deepEqual([id, payload], ['\ufffd', '\ufffd']);
  });

  test('takes any RFC 3339 time, the first second of 1970 and Go’s zero time among them', () => {
    for (const ts of [
      '1970-01-01T00:00:00Z',
      '0001-01-01T00:00:00Z',
      '2026-06-01T08:00:00.5+02:00',
    ]) {
      assert.equal(codec.decode(JSON.stringify({ kind: 'chat.send', ts })).ts, ts);
    }
  });

  test('reads Go’s empty strings and nulls in the envelope as absent', () => {
    const envelope = codec.decode('{"kind":"chat.send","id":"","in_reply_to":null,"payload":null}');
    assert.deepEqual(envelope, { kind: 'chat.send', payload: null });
  });

  test('reads null members of a payload as unset and ignores unknown ones', () => {
    const payload = codec.check(ChatSend, { content: 'hi', reply_to: null, mentions: ['x'] });
    assert.deepEqual(payload, { content: 'hi', mentions: ['x'] });
  });

  test('names the member that is wrong', () => {
    assert.throws(() => codec.check(ChatSend, { content: 'hi', reply_to: '41' }), {
      code: 'bad_request',
      message: 'chat.send: payload/reply_to must be integer',
    });
    assert.throws(() => codec.check(ChatSend, undefined), { code: 'bad_request' });
    assert.throws(() => codec.check(Register, { name: 'wren' }), { code: 'bad_request' });
  });

  test('checks answers too, by definition and not by kind', () => {
    const { reply } = ChatRead;
    assert.deepEqual(codec.check(reply, { messages: null }), {});
    assert.throws(() => codec.check(reply, { messages: [{}] }), { code: 'bad_request' });
  });

  test('a kind named twice stops the start', () => {
    const twice = defineFrame({
      kind: 'chat.send',
      from: ['aspect'],
      reply: 'none',
      payload: Type.Unknown(),
    });
    assert.throws(() => new FrameCodec([...catalogue, twice]), /defined twice/);
  });
});
