import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { root, type ServeProcess, serveProcess } from './serve-process.ts';
import { temporaryFolder } from './start-nexus.ts';
import { TestClient } from './test-client.ts';

/** Compiles what makes syncs fail; without a compiler the test is skipped. */
function failingSync(t: TestContext, folder: string): string | undefined {
  const library = join(folder, 'failing-sync.so');
  const source = join(root, 'tests/fakes/failing-sync.c');
  const { status, error, stderr } = spawnSync(
    'cc',
    ['-shared', '-fPIC', '-o', library, source, '-ldl'],
    { encoding: 'utf8' },
  );
  if (process.platform === 'linux' && status === 0) return library;
  t.skip(`no library that fails syncs: ${error?.message ?? stderr}`);
  return undefined;
}

async function operatorOf(t: TestContext, server: ServeProcess, dataDir: string) {
  const token = readFileSync(join(dataDir, 'operator.token'), 'utf8').trim();
  const client = await TestClient.open(server.url, token);
  t.after(() => client.drop());
  return client;
}

async function contents(client: TestClient): Promise<unknown[]> {
  const { messages } = await client.request('chat.list', {});
  return (messages as { content: string }[]).map(({ content }) => content);
}

suite('a disk that takes writes and fails to sync them', () => {
  for (const recovers of [false, true]) {
    const title = recovers ? 'recovers before it' : 'does not recover';
    test(`gives back nothing that was refused, after a crash, when it ${title}`, async (t) => {
      const folder = temporaryFolder(t);
      const library = failingSync(t, folder);
      if (!library) return;
      const dataDir = join(folder, 'data');
      const flag = join(folder, 'flag');
      const env = { LD_PRELOAD: library, FAILING_SYNC: flag };
      const server = await serveProcess(t, dataDir, [], env);
      const client = await operatorOf(t, server, dataDir);
      await client.post('before');
      writeFileSync(flag, '');
      for (let i = 0; i < 3; i++) {
        assert.equal(await client.refused('chat.send', { content: `refused ${i}` }), 'unavailable');
        assert.deepEqual(await contents(client), ['before']);
      }
      if (recovers) {
        rmSync(flag);
        await client.post('after');
      }
      await server.kill();

      const next = await serveProcess(t, dataDir);
      const kept = recovers ? ['before', 'after'] : ['before'];
      assert.deepEqual(await contents(await operatorOf(t, next, dataDir)), kept);
    });
  }
});
