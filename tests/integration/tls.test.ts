import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { makeSelfSigned } from '#nexus/tls/self-signed';
import { parsePin } from '#shared/transport/pinned-tls';
import { dial } from '#shared/transport/ws-dial';
import { startNexus, temporaryFolder } from './start-nexus.ts';

const makeCertificate = (t: TestContext) => makeSelfSigned(temporaryFolder(t), [], Date.now());

async function startSecured(t: TestContext) {
  const { cert, key, pin } = await makeCertificate(t);
  const nexus = await startNexus(t, { tls: { cert, key } });
  return { nexus, cert, pin };
}

suite('tls', () => {
  test('serves wss and https with a certificate of one’s own', async (t) => {
    const { nexus, cert } = await startSecured(t);
    const ca = readFileSync(cert);
    assert.match(nexus.url, /^https:\/\/127\.0\.0\.1:\d+$/);
    const token = nexus.operatorToken();
    const headers = { authorization: `Bearer ${token}` };
    const operator = await nexus.connect(token, { ca, headers });
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

  test('is trusted by its pin, in any spelling, and by no other', async (t) => {
    const { nexus, pin } = await startSecured(t);
    const other = await makeCertificate(t);
    const token = nexus.operatorToken();
    assert.equal(nexus.broker.pin, pin);
    const colons = pin.slice('sha256:'.length).toUpperCase().match(/../g)?.join(':');
    for (const spelling of [pin, colons]) {
      const link = await dial(nexus.url, token, { pin: spelling });
      link.close(1000, '');
    }
    const wrong = { code: 'link.wrong_certificate' };
    await assert.rejects(dial(nexus.url, token, { pin: other.pin }), wrong);
    await assert.rejects(dial(nexus.url, token, { pin: 'sha256:12' }), wrong);
    await assert.rejects(dial(nexus.url, token), { code: 'link.unreachable' });
    const plain = await startNexus(t);
    await assert.rejects(dial(plain.url, plain.operatorToken(), { pin }), wrong);
  });

  test('a certificate is made once, for good names only, its key for this user only', async (t) => {
    const folder = join(temporaryFolder(t), 'tls');
    const made = await makeSelfSigned(folder, ['hub.example', '10.0.0.7'], Date.now());
    assert.equal(statSync(made.key).mode & 0o077, 0);
    assert.equal(parsePin(made.pin), made.pin);
    await assert.rejects(makeSelfSigned(folder, [], Date.now()), { code: 'tls.exists' });
    for (const bad of ['', 'a b', '-x', 'x/y', 'é', '*']) {
      const refusal = makeSelfSigned(temporaryFolder(t), [bad], Date.now());
      await assert.rejects(refusal, { code: 'tls.bad_host' }, bad);
    }
  });

  test('a key that is not the certificate’s, or no key at all, is refused', async (t) => {
    const [one, another] = await Promise.all([makeCertificate(t), makeCertificate(t)]);
    const mixed = { cert: one.cert, key: another.key };
    await assert.rejects(startNexus(t, { tls: mixed }), { code: 'start.tls_files' });
    const noKey = { cert: one.cert, key: one.cert };
    await assert.rejects(startNexus(t, { tls: noKey }), { code: 'start.tls_files' });
  });
});
