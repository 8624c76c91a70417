import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { startNexus, temporaryFolder } from './start-nexus.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** A certificate for this machine and its key, as PEM files. */
function makeCertificate(folder: string): { cert: string; key: string } {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'],
    ...['-keyout', files.key, '-out', files.cert],
  ]);
  assert.equal(made.status, 0, String(made.stderr));
  return files;
}

suite('tls', { skip: hasOpenssl ? false : 'the openssl program is not installed' }, () => {
  test('serves wss and https with a certificate of one’s own', async (t) => {
    const tls = makeCertificate(temporaryFolder(t));
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

  test('a key that is not the certificate’s, or no key at all, is refused', async (t) => {
    const [one, another] = [temporaryFolder(t), temporaryFolder(t)].map(makeCertificate);
    assert.ok(one && another);
    const mixed = { cert: one.cert, key: another.key };
    await assert.rejects(startNexus(t, { tls: mixed }), { code: 'start.tls_files' });
    const noKey = { cert: one.cert, key: one.cert };
    await assert.rejects(startNexus(t, { tls: noKey }), { code: 'start.tls_files' });
  });
});
