import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { serveProcess } from './serve-process.ts';
import { temporaryFolder } from './start-nexus.ts';
import { TestClient, type WireFrame } from './test-client.ts';

const readerCount = 50;
const batch = 16;
const contentBytes = 16 * 1024;
/** More than the outbox (8 MiB) and the kernel's buffers together can hold. */
const maxBatches = 250;

/** Keeps ids only: the contents of all readers together would be a gigabyte. */
const withoutContent = (frame: WireFrame): WireFrame =>
  frame.kind === 'chat.deliver'
    ? { kind: frame.kind, payload: { id: frame.payload?.['id'] } }
    : frame;

const idsOf = (client: TestClient) => client.delivered().map(({ id }) => id);

/** Resident memory of a process in bytes, where the system tells. */
function residentBytes(pid: number): number {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return 0;
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(file, 'utf8'))?.[1]) * 1024;
}

suite('slow reader', () => {
  test('one that stops reading is cut off, harms nobody, and catches up by replay', async (t) => {
    const dataDir = temporaryFolder(t);
    const server = await serveProcess(t, dataDir, ['--max-connections-per-address', '256']);
    const operatorToken = readFileSync(join(dataDir, 'operator.token'), 'utf8').trim();
    const open = async (token: string) => {
      const client = await TestClient.open(server.url, token);
      t.after(() => client.drop());
      client.kept = withoutContent;
      return client;
    };
    const tokenFor = async (name: string) => {
      const response = await fetch(`${server.url}/api/admin/tokens`, {
        method: 'POST',
        headers: { authorization: `Bearer ${operatorToken}` },
        body: JSON.stringify({ name }),
      });
      return ((await response.json()) as { token: string }).token;
    };

    const operator = await open(operatorToken);
    const slowToken = await tokenFor('slow');
    const slow = await open(slowToken);
    await slow.register('slow');
    const others: TestClient[] = [];
    for (let i = 1; i < readerCount; i++) {
      const reader = await open(await tokenFor(`reader-${i}`));
      await reader.register(`reader-${i}`);
      others.push(reader);
    }
    await operator.ask('subscribe.roster');
    const slowIsGone = () =>
      operator
        .payloadsOf('roster.update')
        .some(({ aspect, status }) => aspect === 'slow' && status === 'down');

    const content = '@all '.padEnd(contentBytes, 'x');
    const posted: number[] = [];
    const postBatch = async () => {
      const sends = Array.from({ length: batch }, () => operator.post(content));
      posted.push(...(await Promise.all(sends)));
      for (const each of others) await each.until(() => each.delivered().length === posted.length);
    };
    await postBatch();
    await slow.until(() => slow.delivered().length === posted.length);

    slow.ws.pause();
    const before = residentBytes(server.pid);
    let peak = before;
    for (let i = 0; !slowIsGone(); i++) {
      assert.ok(i < maxBatches, 'the slow reader was never cut off');
      await postBatch();
      peak = Math.max(peak, residentBytes(server.pid));
    }
    await postBatch();
    for (const each of others) assert.deepEqual(idsOf(each), posted, 'the others got everything');
    const grownMb = Math.round((peak - before) / 1024 ** 2);
    t.diagnostic(`cut off after ${posted.length} messages; the broker grew by ${grownMb} MB`);
    assert.ok(grownMb < 200, `the broker grew by ${grownMb} MB`);

    slow.ws.resume();
    const { code } = await slow.closed;
    assert.ok(code === 1013 || code === 1006, `closed with ${code}`);
    const before1013 = idsOf(slow);
    assert.deepEqual(before1013, posted.slice(0, before1013.length), 'what came is a prefix');

    const back = await open(slowToken);
    await back.register('slow', {
      session_id: 'afterwards',
      request_replay: true,
      since_msg_id: before1013.at(-1),
    });
    await back.nextOf('chat.replay.end');
    assert.deepEqual([...before1013, ...idsOf(back)], posted, 'nothing lost, nothing doubled');
  });
});
