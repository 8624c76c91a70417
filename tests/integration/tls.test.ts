import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { startNexus, temporaryFolder } from './start-nexus.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

suite('tls', { skip: hasOpenssl ? false : 'the openssl program is not installed' }, () => {
  test('serves wss and https with a certificate of one’s own', async (t) => {
    const folder = temporaryFolder(t);
    const tls = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    const made = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'],
      ...['-keyout', tls.key, '-out', tls.cert],
    ]);
    assert.equal(made.status, 0, String(made.stderr));
    const ca = readFileSync(tls.cert);

    const nexus = await startNexus(t, { tls });
    assert.match(nexus.url, /^https:\/\/127\.0\.0\.1:\d+$/);
    const token = nexus.operatorToken();
    const operator = await nexus.connect(token, {
      ca,
      headers: { authorization: `Bearer ${token}` },
    });
    assert.ok((await operator.post('over tls')) > 0);

    const status = await new Promise((resolve, reject) => {
      const health = request(`${nexus.url}/health`, { ca }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      health.once('error', reject).end();
    });
    assert.equal(status, 200);
    await assert.rejects(nexus.connect(token), /self-signed|certificate/);
  });
});
