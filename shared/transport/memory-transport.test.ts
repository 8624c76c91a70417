import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { MemoryTransport } from './memory-transport.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

function listen(transport: MemoryTransport): string[] {
  const log: string[] = [];
  transport.start({
    message: (text) => log.push(text),
    closed: (code, reason) => log.push(`closed ${code} ${reason}`),
  });
  return log;
}

suite('MemoryTransport', () => {
  test('carries messages both ways, in order, in a later microtask', async () => {
    const [a, b] = MemoryTransport.pair();
    const [atA, atB] = [listen(a), listen(b)];
    a.send('1');
    a.send('2');
    b.send('back');
    assert.deepEqual(atB, []);
    await turn();
    assert.deepEqual(atB, ['1', '2']);
    assert.deepEqual(atA, ['back']);
  });

  test('keeps what comes before the start, ahead of what comes after', async () => {
    const [a, b] = MemoryTransport.pair();
    a.send('1');
    await turn();
    a.send('2');
    const atB = listen(b);
    a.send('3');
    await turn();
    assert.deepEqual(atB, ['1', '2', '3']);
  });

  test('delivers what was sent before the close, then the close at both ends, then nothing', async () => {
    const [a, b] = MemoryTransport.pair();
    const [atA, atB] = [listen(a), listen(b)];
    a.send('last');
    a.close(4001, 'moved');
    a.send('ignored');
    a.close(1000, 'again');
    await turn();
    b.send('late');
    b.close(1000, 'too');
    await turn();
    assert.deepEqual(atB, ['last', 'closed 4001 moved']);
    assert.deepEqual(atA, ['closed 4001 moved']);
  });

  test('tells one that starts late of messages and of the close, in this order', async () => {
    const [a, b] = MemoryTransport.pair();
    a.send('1');
    a.close(1001, 'stopping');
    await turn();
    const atB = listen(b);
    await turn();
    assert.deepEqual(atB, ['1', 'closed 1001 stopping']);
  });
});
