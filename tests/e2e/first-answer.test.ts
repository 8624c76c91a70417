import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nexus, Place, up } from './nexus-process.ts';

test('how long a newcomer waits for the first answer (measured, not judged)', async (t) => {
  const place = new Place(t);
  const begun = performance.now();
  const since = () => `${((performance.now() - begun) / 1000).toFixed(2)} s`;
  const team = await up(place);
  const ready = since();
  const { code } = await nexus(place, ['chat', '@wren what do you think of BUILD.md?']);
  assert.equal(code, 0);
  t.diagnostic(`from spawning \`nexus up\`: ready after ${ready}, first answer after ${since()}`);
  team.child.kill('SIGINT');
  assert.equal((await team.ended).code, 0);
});
