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
