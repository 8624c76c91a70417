import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startNexus, temporaryFolder } from '../integration/start-nexus.ts';

const program = fileURLToPath(new URL('../../nexus/cmd/nexus.ts', import.meta.url));

interface Finding {
  readonly what: string;
  readonly state: string;
  readonly found: string;
}

function doctor(...args: string[]): { status: number | null; findings: Finding[]; text: string } {
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--conditions=nexus-source', program, 'doctor', '--json', ...args],
    { encoding: 'utf8' },
  );
  const findings = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Finding);
  return { status, findings, text: stdout };
}

const stateOf = (findings: readonly Finding[], what: string) =>
  findings.filter((finding) => finding.what === what).map(({ state }) => state);

test('doctor finds a sound instance sound, and what is wrong with another', async (t) => {
  const nexus = await startNexus(t);
  await (await nexus.aspect('wren')).post('something to check');
  const sound = doctor('--data-dir', nexus.dataDir, '--addr', '127.0.0.1:0');
  assert.equal(sound.status, 0, sound.text);
  for (const what of ['permissions', 'disk', 'store', 'address', 'clock']) {
    assert.deepEqual(stateOf(sound.findings, what), ['ok'], what);
  }

  chmodSync(join(nexus.dataDir, 'operator.token'), 0o644);
  const other = createServer().listen(0, '127.0.0.1');
  t.after(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  const ill = doctor(
    '--data-dir',
    nexus.dataDir,
    '--addr',
    `127.0.0.1:${port}`,
    '--tls-cert',
    '/no',
  );
  assert.equal(ill.status, 1);
  for (const what of ['permissions', 'address', 'certificate']) {
    assert.deepEqual(stateOf(ill.findings, what), ['problem'], what);
  }
  assert.match(ill.text, /operator\.token/);
});

test('doctor looks at a data directory that is not there yet', (t) => {
  const { status, findings } = doctor(
    '--data-dir',
    join(temporaryFolder(t), 'none'),
    '--addr',
    '127.0.0.1:0',
  );
  assert.equal(status, 0);
  assert.deepEqual(stateOf(findings, 'data directory'), ['ok']);
});
