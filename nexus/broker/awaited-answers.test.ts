import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { AwaitedAnswers } from './awaited-answers.ts';

suite('AwaitedAnswers', () => {
  test('gives each answer to the one who asked, once', () => {
    const awaited = new AwaitedAnswers();
    const heard: string[] = [];
    awaited.expect('a', ({ kind }) => heard.push(`a ${kind}`));
    awaited.expect('b', ({ kind }) => heard.push(`b ${kind}`));
    awaited.take({ kind: 'x', in_reply_to: 'b' });
    awaited.take({ kind: 'y', in_reply_to: 'b' });
    awaited.take({ kind: 'z', in_reply_to: 'c' });
    assert.deepEqual(heard, ['b x']);
    assert.equal(awaited.has('a'), true);
  });

  test('drops the answer to what is forgotten', () => {
    const awaited = new AwaitedAnswers();
    awaited.expect('a', () => assert.fail('nobody waits'));
    awaited.forget('a');
    awaited.take({ kind: 'x', in_reply_to: 'a' });
  });

  test('takes as many as its bound, and more once some are answered', () => {
    const awaited = new AwaitedAnswers(2);
    const nothing = () => undefined;
    awaited.expect('a', nothing);
    awaited.expect('b', nothing);
    assert.throws(() => awaited.expect('c', nothing), { code: 'busy' });
    awaited.take({ kind: 'x', in_reply_to: 'a' });
    awaited.expect('c', nothing);
    assert.equal(awaited.has('c'), true);
  });
});
