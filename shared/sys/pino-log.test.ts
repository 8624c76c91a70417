import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { openLogFile } from './pino-log.ts';

suite('openLogFile', () => {
  test('writes one JSON object a line, without secrets, for this user only', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'nexus-log-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'logs', 'x.log');
    const log = openLogFile('info', path);
    log.info({ token: 'abc', port: 1 }, 'listening');
    log.debug('not this');
    const { level, time, ...rest } = JSON.parse(readFileSync(path, 'utf8'));
    assert.deepEqual(rest, { token: '[secret]', port: 1, msg: 'listening' });
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  const skip = !existsSync('/dev/full');
  test('loses what a full disk does not take, and nothing else happens', { skip }, () => {
    const log = openLogFile('info', '/dev/full');
    for (let i = 0; i < 100; i++) log.error({ i }, 'x'.repeat(1_000));
  });
});
