import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { readEndpoint, removeEndpoint, writeEndpoint } from './endpoint-file.ts';

suite('the endpoint file', () => {
  test('is read as it was written, for this user only, and may be absent', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'nexus-endpoint-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'broker.json');
    assert.equal(readEndpoint(path), undefined);
    writeEndpoint(path, { url: 'http://127.0.0.1:7888', pid: 7 });
    assert.deepEqual(readEndpoint(path), { url: 'http://127.0.0.1:7888', pid: 7 });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    removeEndpoint(path);
    removeEndpoint(path);
    assert.equal(readEndpoint(path), undefined);
  });
});
