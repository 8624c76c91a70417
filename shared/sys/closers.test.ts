import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Closers } from './closers.ts';

suite('Closers', () => {
  test('closes in reverse order, one after another, once', async () => {
    const log: string[] = [];
    const closers = new Closers();
    for (const name of ['first', 'second', 'third']) {
      closers.add(async () => {
        log.push(`${name} begins`);
        await Promise.resolve();
        log.push(`${name} ends`);
      });
    }
    await closers.closeAll();
    await closers.closeAll();
    assert.deepEqual(log, [
      'third begins',
      'third ends',
      'second begins',
      'second ends',
      'first begins',
      'first ends',
    ]);
  });

  test('closes everything also when some of it fails, then throws the first failure', async () => {
    const log: string[] = [];
    const closers = new Closers();
    closers.add(() => void log.push('first'));
    closers.add(() => Promise.reject(new Error('second failed')));
    closers.add(() => {
      throw new Error('third failed');
    });
    await assert.rejects(closers.closeAll(), { message: 'third failed' });
    assert.deepEqual(log, ['first']);
  });
});
