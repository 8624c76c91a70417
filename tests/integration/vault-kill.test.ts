import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { operatorCall } from './rest-caller.ts';
import { serveProcess } from './serve-process.ts';
import { startNexus, temporaryFolder } from './start-nexus.ts';

const rounds = 6;
const count = 40;
const names = Array.from({ length: count }, (_, i) => `credential ${i}`);
/** Long enough that sealing all of them takes a while. */
const keyOf = (name: string): string => `secret of ${name} ${'x'.repeat(50_000)}`;

suite('changing the key of the vault', () => {
  test('may be killed at any moment: afterwards every credential opens', async (t) => {
    const dataDir = temporaryFolder(t);
    const keys = () => readFileSync(join(dataDir, 'vault.key'), 'utf8').trim().split('\n');
    /** Two keys are there from before the first is replaced until after everything is sealed. */
    const keysAre = async (wanted: number) => {
      while (keys().length !== wanted) await setImmediate();
    };
    const first = await startNexus(t, { dataDir });
    for (const name of names) {
      const bundle = { api_shape: 'openai', base_url: 'https://x.test', key: keyOf(name) };
      const body = { kind: 'provider', bundle, allowed_aspects: ['*'], mode: 'fetch' };
      const path = `/api/admin/credentials/${encodeURIComponent(name)}`;
      assert.equal((await operatorCall(first)('PUT', path, body)).status, 200);
    }
    await first.close();

    let before = keys()[0];
    let cutOff = 0;
    for (let round = 0; round < rounds; round++) {
      const broker = await serveProcess(t, dataDir);
      const rotate = () =>
        operatorCall({ ...first, url: broker.url })('POST', '/api/admin/vault/rotate-key');
      const acknowledged = rotate();
      await keysAre(2);
      const began = performance.now();
      await keysAre(1);
      const tookMs = performance.now() - began;
      assert.equal((await acknowledged).status, 200);
      const [after] = keys();

      // Each round at another point of the next change: from its beginning to its end.
      const killed = rotate().catch(() => undefined);
      await keysAre(2);
      const killAt = performance.now() + (tookMs * (round + 0.5)) / rounds;
      while (performance.now() < killAt) await setImmediate();
      await broker.kill();
      await killed;
      if (keys().length === 2) cutOff += 1;

      const again = await startNexus(t, { dataDir });
      assert.equal(keys().length, 1, 'the key that is not used is gone');
      assert.notEqual(keys()[0], before, 'what was acknowledged counts');
      t.diagnostic(`round ${round}: the ${keys()[0] === after ? 'older' : 'newer'} key counts`);
      before = keys()[0];
      const wren = await again.aspect('wren');
      for (const name of names) {
        const { bundle } = await wren.request('credential.fetch', { kind: 'provider', name });
        assert.equal((bundle as { key: string }).key, keyOf(name));
      }
      await again.close();
    }
    t.diagnostic(`${cutOff} of ${rounds} were cut off in the middle`);
    assert.ok(cutOff > 0);
  });
});
