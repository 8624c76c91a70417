import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { decodeJwt } from 'jose';
import { FakeClock } from '#shared/sys/fake-clock';
import { FakeAuthenticator } from '../fakes/fake-authenticator.ts';
import { asOperator, Browser, call, type HttpAnswer, roomyRates, signedIn } from './http-client.ts';
import { type StartNexusOptions, startNexus, type TestNexus } from './start-nexus.ts';

interface Begun {
  readonly session_token: string;
  readonly challenge: string;
  readonly options: Record<string, unknown>;
}

async function begin(
  browser: Browser,
  what: 'register' | 'login',
  more: object = {},
): Promise<Begun> {
  const body = what === 'register' ? { label: 'laptop', ...more } : undefined;
  const answer = await browser.call('POST', `/api/operator/${what}/begin`, body);
  assert.equal(answer.status, 200, answer.text);
  const { publicKey } = answer.body['options'] as { publicKey: Record<string, unknown> };
  return {
    session_token: String(answer.body['session_token']),
    challenge: String(publicKey['challenge']),
    options: publicKey,
  };
}

const finish = (browser: Browser, what: 'register' | 'login', body: object): Promise<HttpAnswer> =>
  browser.call('POST', `/api/operator/${what}/finish`, body);

async function add(browser: Browser, key: FakeAuthenticator): Promise<number> {
  const { session_token, challenge } = await begin(browser, 'register');
  const { origin } = browser;
  const answer = await finish(browser, 'register', {
    session_token,
    ...key.attest({ challenge, origin }),
  });
  assert.equal(answer.status, 200, answer.text);
  return answer.body['passkey_id'] as number;
}

async function logIn(browser: Browser, key: FakeAuthenticator): Promise<HttpAnswer> {
  const { session_token, challenge } = await begin(browser, 'login');
  const { origin } = browser;
  return finish(browser, 'login', { session_token, ...key.assert({ challenge, origin }) });
}

const start = (t: Parameters<typeof startNexus>[0], more: StartNexusOptions = {}) =>
  startNexus(t, { operators: { rates: roomyRates }, ...more });

/** A broker, somebody signed in, and their passkey. */
async function withPasskey(t: Parameters<typeof startNexus>[0], more: StartNexusOptions = {}) {
  const nexus = await start(t, more);
  const browser = await signedIn(nexus);
  const key = new FakeAuthenticator();
  return { nexus, browser, key, id: await add(browser, key) };
}

const me = async (nexus: TestNexus, token: string): Promise<number> => {
  const headers = { authorization: `Bearer ${token}` };
  return (await call(nexus.url, 'GET', '/api/operator/me', { headers })).status;
};

suite('adding a passkey', () => {
  test('asks for the reference’s user, for verification, and leaves out what is there', async (t) => {
    const { browser, key } = await withPasskey(t);
    const { options, session_token } = await begin(browser, 'register');
    assert.match(session_token, /^[0-9a-f]{32}$/);
    assert.deepEqual(options['user'], {
      id: Buffer.concat([Buffer.from('nexus-operator-v1'), Buffer.alloc(15)]).toString('base64url'),
      name: 'operator',
      displayName: 'Operator',
    });
    assert.deepEqual(options['rp'], { id: 'localhost', name: 'The Nexus' });
    assert.equal(options['timeout'], 300_000);
    const selection = options['authenticatorSelection'] as Record<string, unknown>;
    assert.equal(selection['userVerification'], 'required');
    const [left] = options['excludeCredentials'] as { id: string }[];
    assert.equal(left?.id, key.id.toString('base64url'));
  });

  test('stores the row that the reference reads', async (t) => {
    const { nexus, key } = await withPasskey(t);
    const db = new SqliteDatabase(`${nexus.dataDir}/nexus.db`, { readonly: true });
    const row = db.prepare('SELECT * FROM operator_passkeys').get() as Record<string, unknown>;
    db.close();
    assert.deepEqual(row['credential_id'], key.id);
    assert.equal(row['sign_count'], 0);
    assert.equal(row['label'], 'laptop');
    const stored = JSON.parse(String(row['credential_json']));
    assert.equal(stored.id, key.id.toString('base64'));
    assert.equal(stored.publicKey, (row['public_key'] as Buffer).toString('base64'));
    assert.deepEqual(stored.transport, ['internal']);
    assert.deepEqual(stored.authenticator, {
      AAGUID: Buffer.alloc(16).toString('base64'),
      signCount: 0,
      cloneWarning: false,
      attachment: 'platform',
    });
    assert.equal(stored.flags.userVerified, true);
  });

  test('is locked for strangers, also while there is none, and opens to a one-time code', async (t) => {
    const nexus = await start(t);
    const stranger = new Browser(nexus.url);
    const path = '/api/operator/register/begin';
    assert.equal((await stranger.call('POST', path, { label: 'mine' })).status, 401);
    const wren = { authorization: `Bearer ${await nexus.token('wren')}` };
    const theirs = await call(nexus.url, 'POST', path, { headers: wren, body: { label: 'mine' } });
    assert.equal(theirs.status, 403);

    const { url } = await nexus.broker.loginLink();
    const code = new URL(url).hash.slice(1);
    const { session_token, challenge } = await begin(stranger, 'register', { code });
    const again = await stranger.call('POST', path, { label: 'mine', code });
    assert.equal(again.status, 401, 'a code works once');
    const key = new FakeAuthenticator();
    const body = { session_token, ...key.attest({ challenge, origin: stranger.origin }) };
    assert.equal((await finish(stranger, 'register', body)).status, 200);
  });

  test('needs the right to still hold when it is finished', async (t) => {
    const nexus = await start(t);
    const browser = await signedIn(nexus);
    const { session_token, challenge } = await begin(browser, 'register');
    await browser.call('POST', '/api/operator/logout');
    const key = new FakeAuthenticator();
    const body = { session_token, ...key.attest({ challenge, origin: browser.origin }) };
    assert.equal((await finish(browser, 'register', body)).status, 401);
    const list = await asOperator(nexus, 'GET', '/api/operator/passkeys');
    assert.deepEqual(list.body['passkeys'], []);
  });

  test('refuses a wrong challenge, origin, party, an unverified person, and a replay', async (t) => {
    const nexus = await start(t);
    const browser = await signedIn(nexus);
    const { origin } = browser;
    const wrongs = [
      { challenge: 'AAAA', origin },
      { origin: 'http://localhost:1' },
      { origin, rpId: 'elsewhere.example' },
      { origin, isVerified: false },
    ];
    for (const wrong of wrongs) {
      const { session_token, challenge } = await begin(browser, 'register');
      const response = new FakeAuthenticator().attest({ challenge, ...wrong });
      const answer = await finish(browser, 'register', { session_token, ...response });
      assert.equal(answer.status, 400, JSON.stringify(wrong));
      assert.deepEqual(answer.body, { error: 'the passkey could not be verified' });
    }
    const key = new FakeAuthenticator();
    const { session_token, challenge } = await begin(browser, 'register');
    const body = { session_token, ...key.attest({ challenge, origin }) };
    assert.equal((await finish(browser, 'register', body)).status, 200);
    assert.equal((await finish(browser, 'register', body)).status, 401, 'a ceremony is used up');
  });

  test('wants a label, a session_token and a credential', async (t) => {
    const nexus = await start(t);
    const browser = await signedIn(nexus);
    const refused = async (path: string, body?: object) =>
      assert.equal((await browser.call('POST', path, body)).status, 400, path);
    await refused('/api/operator/register/begin');
    await refused('/api/operator/register/begin', {});
    await refused('/api/operator/register/begin', { label: '' });
    await refused('/api/operator/register/begin', { label: 'a\nb' });
    await refused('/api/operator/register/begin', { label: 'x'.repeat(65) });
    await refused('/api/operator/register/finish', { session_token: 'x' });
    const origin = browser.origin;
    await refused(
      '/api/operator/register/finish',
      new FakeAuthenticator().attest({ challenge: 'c', origin }),
    );
    await refused(
      '/api/operator/login/finish',
      new FakeAuthenticator().assert({ challenge: 'c', origin }),
    );
  });
});

suite('signing in with a passkey', () => {
  test('gives a cookie and a session token, and signing out ends both', async (t) => {
    const { nexus, key, id } = await withPasskey(t);
    const browser = new Browser(nexus.url);
    const { status, body, headers } = await logIn(browser, key);
    assert.equal(status, 200);
    assert.equal(body['ok'], true);
    assert.equal(body['passkey_id'], id);
    assert.equal(headers['cache-control'], 'no-store');
    const jwt = String(body['session_jwt']);
    const claims = decodeJwt(jwt);
    assert.equal(claims.iss, `nexus://${nexus.broker.nexusId}`);
    assert.equal(claims.sub, 'operator');
    assert.equal(claims['kfv'], 0);
    assert.equal(claims['typ'], 'operator');
    assert.match(String(claims['ses']), /^[0-9a-f]{32}$/);
    assert.equal(Number(claims.exp) - Number(claims.iat), 12 * 3600);
    assert.equal(await me(nexus, jwt), 200);
    assert.equal((await browser.call('GET', '/api/operator/me')).body['role'], 'admin');
    await browser.call('POST', '/api/operator/logout');
    assert.equal(await me(nexus, jwt), 401);
  });

  test('takes the session_token in the query too, for old pages', async (t) => {
    const { nexus, key } = await withPasskey(t);
    const browser = new Browser(nexus.url);
    const { session_token, challenge } = await begin(browser, 'login');
    const path = `/api/operator/login/finish?session_token=${session_token}`;
    const body = key.assert({ challenge, origin: browser.origin });
    assert.equal((await browser.call('POST', path, body)).status, 200);
  });

  test('is refused without passkeys, with an unknown one, and with a replayed ceremony', async (t) => {
    const nexus = await start(t);
    const browser = new Browser(nexus.url);
    assert.equal((await browser.call('POST', '/api/operator/login/begin')).status, 409);
    const key = new FakeAuthenticator();
    await add(await signedIn(nexus), key);
    assert.equal((await logIn(browser, new FakeAuthenticator())).status, 401);
    const { session_token, challenge } = await begin(browser, 'login');
    const body = { session_token, ...key.assert({ challenge, origin: browser.origin }) };
    assert.equal((await finish(browser, 'login', body)).status, 200);
    assert.equal((await finish(browser, 'login', body)).status, 401);
  });

  test('is refused when the ceremony was for something else, or is over five minutes old', async (t) => {
    const clock = new FakeClock();
    const { browser, key } = await withPasskey(t, { clock });
    const { origin } = browser;
    const other = await begin(browser, 'register');
    const assertion = key.assert({ challenge: other.challenge, origin });
    const swapped = await finish(browser, 'login', {
      session_token: other.session_token,
      ...assertion,
    });
    assert.equal(swapped.status, 401);
    const { session_token, challenge } = await begin(browser, 'login');
    clock.advance(5 * 60_000);
    const late = { session_token, ...key.assert({ challenge, origin }) };
    assert.equal((await finish(browser, 'login', late)).status, 401);
  });

  test('is refused for a wrong origin, an unverified person and another’s signature', async (t) => {
    const { browser, key } = await withPasskey(t);
    const { origin } = browser;
    const impostor = Object.assign(new FakeAuthenticator(), { id: key.id });
    const attempts: [FakeAuthenticator, object][] = [
      [key, { origin: 'http://localhost:1' }],
      [key, { origin, isVerified: false }],
      [impostor, { origin }],
    ];
    for (const [each, wrong] of attempts) {
      const { session_token, challenge } = await begin(browser, 'login');
      const asked = { challenge, origin, ...wrong };
      const answer = await finish(browser, 'login', { session_token, ...each.assert(asked) });
      assert.equal(answer.status, 401, JSON.stringify(wrong));
    }
  });

  test('is refused when the counter does not rise, unless it stays at 0', async (t) => {
    const { nexus, key } = await withPasskey(t);
    const browser = new Browser(nexus.url);
    const statuses: number[] = [];
    for (const counter of [0, 0, 5, 5, 4, 0, 6]) {
      key.counter = counter;
      statuses.push((await logIn(browser, key)).status);
    }
    assert.deepEqual(statuses, [200, 200, 200, 401, 401, 401, 200]);
  });

  test('a removed passkey opens nothing any more, and its sessions end', async (t) => {
    const { nexus, key, id } = await withPasskey(t);
    const browser = new Browser(nexus.url);
    await logIn(browser, key);
    const removed = await asOperator(nexus, 'DELETE', `/api/operator/passkeys/${id}`);
    assert.equal(removed.status, 200);
    assert.equal((await browser.call('GET', '/api/operator/me')).status, 401);
    assert.equal((await browser.call('POST', '/api/operator/login/begin')).status, 409);
  });

  test('passkeys and sessions outlive a restart', async (t) => {
    const { nexus, browser, key } = await withPasskey(t);
    await nexus.close();
    const again = await start(t, { dataDir: nexus.dataDir });
    const later = new Browser(again.url);
    later.cookie = browser.cookie;
    assert.equal((await later.call('GET', '/api/operator/me')).status, 200);
    assert.equal((await logIn(new Browser(again.url), key)).status, 200);
  });
});
