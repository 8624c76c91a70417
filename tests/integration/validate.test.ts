import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { migrations } from '#nexus/app/broker';
import { openDatabase } from '#nexus/storage/database';
import { newSigningPair, sealingKeyOf } from '#shared/crypto/ed25519-keys';
import { seal } from '#shared/crypto/sealed-box';
import { asOperator, call, mint, sessionOf, validate } from './keyfile-aspect.ts';
import { startNexus, type TestNexus } from './start-nexus.ts';

/** Seals a text of the test's own making to the broker's key. */
async function sealed(nexus: TestNexus, text: string): Promise<string> {
  const database = openDatabase(`${nexus.dataDir}/nexus.db`, migrations);
  const key = database.reader.prepare('SELECT server_pubkey FROM nexus_identity').pluck().get();
  database.close();
  return Buffer.from(seal(Buffer.from(text), sealingKeyOf(key as Buffer))).toString('base64');
}

suite('POST /api/aspect/validate', () => {
  test('turns a keyfile into a session token, with everything that clients expect', async (t) => {
    const nexus = await startNexus(t);
    const { keyfile } = await mint(nexus, 'wren', { provider: 'anthropic', model: 'm1' });
    const { status, body, headers } = await validate(nexus, keyfile.encrypted_payload);
    assert.equal(status, 200);
    assert.equal(headers.get('cache-control'), 'no-store');
    const { session_jwt, session_expires_at, ...rest } = body;
    assert.deepEqual(rest, {
      ok: true,
      personality: {
        nexus_md: '',
        soul_md: '',
        primer_md: '',
        composed: '',
        version: 0,
        updated_at: '',
      },
      provider: 'anthropic',
      model: 'm1',
      central_nexus_md: '',
      central_version: 0,
    });
    const claims = JSON.parse(
      Buffer.from(String(session_jwt).split('.')[1] ?? '', 'base64url').toString(),
    );
    assert.equal(claims.sub, 'wren');
    assert.equal(claims.kfv, 1);
    assert.equal(claims.iss, `nexus://${nexus.broker.nexusId}`);
    assert.match(String(session_expires_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(Date.parse(String(session_expires_at)), claims.exp * 1000);
    const again = await sessionOf(nexus, keyfile);
    assert.notEqual(again, session_jwt, 'a session of its own each time');
  });

  test('GET /api/nexus_id says whose keyfiles count here', async (t) => {
    const nexus = await startNexus(t);
    const { status, body } = await call(nexus, 'GET', '/api/nexus_id');
    assert.deepEqual([status, body], [200, { nexus_id: nexus.broker.nexusId }]);
  });

  test('refuses a body that is not exactly the payload', async (t) => {
    const nexus = await startNexus(t);
    const { keyfile } = await mint(nexus, 'wren');
    const { encrypted_payload } = keyfile;
    const refusals: [unknown, string][] = [
      ['{', 'request body malformed'],
      ['[]', 'request body malformed'],
      ['null', 'request body malformed'],
      [{ encrypted_payload, more: 1 }, 'request body malformed'],
      [{ encrypted_payload: 7 }, 'request body malformed'],
      [{ encrypted_payload: 'A'.repeat(16 * 1024) }, 'request body malformed'],
      [{ encrypted_payload: 'A'.repeat(100 * 1024) }, 'request body malformed'],
      [{}, 'encrypted_payload missing'],
      [{ encrypted_payload: '' }, 'encrypted_payload missing'],
      [{ encrypted_payload: null }, 'encrypted_payload missing'],
    ];
    for (const [body, error] of refusals) {
      const answer = await call(nexus, 'POST', '/api/aspect/validate', { body });
      assert.deepEqual([answer.status, answer.body], [400, { error }]);
    }
    const stream = new Blob(['{"encrypted_payload":"', 'A'.repeat(20 * 1024), '"}']).stream();
    const streamed = await fetch(`${nexus.url}/api/aspect/validate`, {
      method: 'POST',
      body: stream,
      duplex: 'half',
    } as RequestInit);
    assert.deepEqual(
      [streamed.status, await streamed.json()],
      [400, { error: 'request body malformed' }],
      'also one that does not tell its length',
    );
    const padding = 16 * 1024 - JSON.stringify({ encrypted_payload: '' }).length;
    const full = await validate(nexus, 'A'.repeat(padding));
    assert.deepEqual([full.status, full.body['error']], [401, 'decryption failed'], 'at the bound');
  });

  test('refuses what was not sealed to this broker, or says something else inside', async (t) => {
    const nexus = await startNexus(t);
    const other = await startNexus(t);
    await mint(nexus, 'wren');
    const foreign = (await mint(other, 'wren')).keyfile.encrypted_payload;
    const nexus_id = nexus.broker.nexusId;
    const key = Buffer.from(newSigningPair().seed).toString('base64');
    const good = { aspect_name: 'wren', aspect_privkey: key, keyfile_version: 1, nexus_id };
    const inside = (change: object) => sealed(nexus, JSON.stringify({ ...good, ...change }));
    const refusals: [string, number, object][] = [
      [foreign, 401, { error: 'decryption failed' }],
      ['not base64', 401, { error: 'decryption failed' }],
      [await sealed(nexus, 'no json'), 400, { error: 'payload malformed' }],
      [await inside({ aspect_name: '' }), 400, { error: 'payload malformed' }],
      [await inside({ nexus_id: other.broker.nexusId }), 400, { error: 'payload malformed' }],
      [await inside({ aspect_name: 'anvil' }), 404, { error: 'unknown aspect' }],
      [await inside({ keyfile_version: 2 }), 403, { error: 'revoked', current_version: 1 }],
      [await inside({ aspect_privkey: 'AAAA' }), 400, { error: 'payload malformed' }],
      [await inside({}), 403, { error: 'key mismatch' }],
    ];
    for (const [payload, status, body] of refusals) {
      const answer = await validate(nexus, payload);
      assert.deepEqual([answer.status, answer.body], [status, body]);
    }
  });

  test('refuses older keyfiles and the retired, and takes the newest', async (t) => {
    const nexus = await startNexus(t);
    const first = await mint(nexus, 'wren');
    const second = await mint(nexus, 'Wren');
    assert.equal(second.version, 2);
    const old = await validate(nexus, first.keyfile.encrypted_payload);
    assert.deepEqual([old.status, old.body], [403, { error: 'revoked', current_version: 2 }]);
    await sessionOf(nexus, second.keyfile);

    await asOperator(nexus, 'retire', { name: 'wren' });
    const { status, body } = await validate(nexus, second.keyfile.encrypted_payload);
    assert.deepEqual([status, body], [403, { error: 'retired' }]);
    await asOperator(nexus, 'resurrect', { name: 'wren' });
    const before = await validate(nexus, second.keyfile.encrypted_payload);
    assert.deepEqual([before.status, before.body['current_version']], [403, 3]);
    const third = await mint(nexus, 'wren');
    assert.equal(third.version, 4);
    await sessionOf(nexus, third.keyfile);
  });

  test('is limited by address, and by aspect once the keyfile proved good', async (t) => {
    const perAddress = { times: 6, windowS: 60 };
    const perAspect = { times: 2, windowS: 60 };
    const nexus = await startNexus(t, { validateRates: { perAddress, perAspect } });
    const { keyfile } = await mint(nexus, 'wren');
    for (let i = 0; i < 2; i++) {
      assert.equal((await validate(nexus, 'AAAA')).status, 401, 'uses up nothing of wren’s');
    }
    for (let i = 0; i < 2; i++) await sessionOf(nexus, keyfile);
    const tooOften = await validate(nexus, keyfile.encrypted_payload);
    assert.equal(tooOften.status, 429);
    assert.match(String(tooOften.body['error']), /too many requests/);
    const retryAfter = Number(tooOften.headers.get('retry-after'));
    assert.ok(retryAfter > 0 && retryAfter <= 60);
    const anvil = await mint(nexus, 'anvil');
    await sessionOf(nexus, anvil.keyfile);
    assert.equal((await validate(nexus, anvil.keyfile.encrypted_payload)).status, 429);
    assert.equal((await call(nexus, 'GET', '/api/nexus_id')).status, 200);
  });
});

suite('administration of aspects', () => {
  test('is for admins, and lists who has an identity', async (t) => {
    const nexus = await startNexus(t);
    const { pair } = await mint(nexus, 'wren', { model: 'm' });
    const token = await nexus.token('anvil');
    for (const path of ['mint', 'retire', 'resurrect']) {
      const as = { token, body: { name: 'wren' } };
      const refused = await call(nexus, 'POST', `/api/admin/aspects/${path}`, as);
      assert.deepEqual([refused.status, refused.body], [403, { error: 'admin_required' }]);
    }
    assert.equal((await call(nexus, 'GET', '/api/admin/aspects', { token })).status, 403);
    assert.equal((await call(nexus, 'GET', '/api/admin/aspects')).status, 401);

    const operator = { token: nexus.operatorToken() };
    const { status, body } = await call(nexus, 'GET', '/api/admin/aspects', operator);
    assert.equal(status, 200);
    const [row] = body['aspects'] as Record<string, unknown>[];
    const { fingerprint, created_at, updated_at, ...rest } = row ?? {};
    assert.deepEqual(rest, {
      name: 'wren',
      status: 'active',
      keyfile_version: 1,
      has_keyfile: true,
      provider: '',
      model: 'm',
    });
    const digest = await crypto.subtle.digest('SHA-256', Buffer.from(pair.publicKey));
    assert.equal(fingerprint, Buffer.from(digest).toString('hex').slice(0, 16));
    assert.equal(created_at, updated_at);
    assert.match(String(created_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  test('refuses what cannot be, in words', async (t) => {
    const nexus = await startNexus(t);
    const aspect_pubkey_b64 = Buffer.alloc(32, 1).toString('base64');
    const refusals: [string, object, number, RegExp][] = [
      ['mint', { name: 'operator', aspect_pubkey_b64 }, 400, /reserved/],
      ['mint', { name: '../x', aspect_pubkey_b64 }, 400, /not a name/],
      ['mint', { name: 'wren', aspect_pubkey_b64: 'AAAA' }, 400, /32 bytes/],
      ['mint', { name: 'wren' }, 400, /aspect_pubkey_b64/],
      ['mint', { name: 'wren', aspect_pubkey_b64, model: 'x'.repeat(201) }, 400, /model/],
      ['retire', { name: 'wren' }, 404, /there is no aspect wren/],
      ['resurrect', {}, 400, /name/],
    ];
    for (const [path, body, status, text] of refusals) {
      const answer = await asOperator(nexus, path, body);
      assert.equal(answer.status, status, `${path} ${JSON.stringify(body)}`);
      assert.match(String(answer.body['error']), text);
    }
    await mint(nexus, 'wren');
    assert.equal((await asOperator(nexus, 'resurrect', { name: 'wren' })).status, 409);
    await asOperator(nexus, 'retire', { name: 'wren' });
    const minted = await asOperator(nexus, 'mint', { name: 'wren', aspect_pubkey_b64 });
    assert.equal(minted.status, 409);
    const token = { token: nexus.operatorToken(), body: { name: 'wren' } };
    assert.equal((await call(nexus, 'POST', '/api/admin/tokens', token)).status, 409);
  });
});

suite('GET /api/auth', () => {
  test('mode says whether anyone is let in, check who the caller is', async (t) => {
    const nexus = await startNexus(t);
    const mode = await call(nexus, 'GET', '/api/auth/mode');
    assert.deepEqual([mode.status, mode.body], [200, { bypass: false }]);
    assert.equal(mode.headers.get('cache-control'), 'no-store');
    const { keyfile } = await mint(nexus, 'wren');
    const roles: [string, string][] = [
      [nexus.operatorToken(), 'operator'],
      [await nexus.token('anvil'), 'aspect'],
      [await sessionOf(nexus, keyfile), 'aspect'],
    ];
    for (const [token, role] of roles) {
      const { status, body } = await call(nexus, 'GET', '/api/auth/check', { token });
      assert.deepEqual([status, body], [200, { ok: true, role }]);
    }
    for (const as of [{}, { token: 'x' }, { token: 'a.b.c' }]) {
      const { status, body, headers } = await call(nexus, 'GET', '/api/auth/check', as);
      assert.equal(status, 401);
      assert.equal(body['ok'], false);
      assert.match(String(headers.get('content-type')), /^text\/plain/);
    }
  });
});
