import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ChatBacklog, type Posted } from './chat-backlog.ts';

const posted = (id: number, content = ''): Posted => ({
  message: { id, from: 'wren', content, threadRoot: id, receivedAt: '' },
  recipients: [],
});
const idsOf = (backlog: ChatBacklog) => backlog.takeAll().map(({ message: { id } }) => id);

suite('ChatBacklog', () => {
  test('gives back what it took, in order, once', () => {
    const backlog = new ChatBacklog({ maxMessages: 4, maxLength: 100 });
    for (let id = 1; id <= 4; id++) backlog.add(posted(id));
    assert.deepEqual(idsOf(backlog), [1, 2, 3, 4]);
    assert.equal(backlog.isEmpty, true);
    assert.equal(backlog.takeLeftOut(), 0);
  });

  test('leaves out the older half when there are too many', () => {
    const backlog = new ChatBacklog({ maxMessages: 4, maxLength: 100 });
    for (let id = 1; id <= 5; id++) backlog.add(posted(id));
    assert.deepEqual(idsOf(backlog), [4, 5]);
    assert.equal(backlog.takeLeftOut(), 3);
    assert.equal(backlog.takeLeftOut(), 0);
  });

  test('leaves out the older half when they are too long', () => {
    const backlog = new ChatBacklog({ maxMessages: 100, maxLength: 10 });
    backlog.add(posted(1, 'aaaaa'));
    backlog.add(posted(2, 'bbbbb'));
    backlog.add(posted(3, 'c'));
    assert.deepEqual(idsOf(backlog), [3]);
    backlog.add(posted(4, 'd'.repeat(11)));
    assert.equal(backlog.isEmpty, true);
    backlog.add(posted(5, 'e'.repeat(10)));
    assert.deepEqual(idsOf(backlog), [5]);
  });
});
