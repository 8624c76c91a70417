import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { FakeClock } from '#shared/sys/fake-clock';
import { asOperator, Browser, call, roomyRates, signedIn } from './http-client.ts';
import { startNexus, type TestNexus } from './start-nexus.ts';

const roomy = { operators: { rates: roomyRates } };
const hourMs = 3_600_000;

async function newCode(nexus: TestNexus): Promise<string> {
  const { url } = await nexus.broker.loginLink();
  const link = new URL(url);
  assert.equal(link.pathname + link.search, '/login', 'the code is in the fragment only');
  return link.hash.slice(1);
}

const enter = (browser: Browser, code: string) =>
  browser.call('POST', '/api/operator/login/code', { code });

const statusOfMe = async (browser: Browser) =>
  (await browser.call('GET', '/api/operator/me')).status;

/** Events of a kind, as they are recorded. */
function recorded(nexus: TestNexus, kind: string): Record<string, unknown>[] {
  const db = new SqliteDatabase(`${nexus.dataDir}/nexus.db`, { readonly: true });
  const rows = db.prepare('SELECT actor, body FROM journal WHERE kind = ?').all(kind) as {
    actor: string;
    body: string;
  }[];
  db.close();
  return rows.map(({ actor, body }) => ({ actor, ...JSON.parse(body) }));
}

suite('a one-time link', () => {
  test('lets in once, with a cookie that pages cannot read and other sites do not send', async (t) => {
    const nexus = await startNexus(t);
    const code = await newCode(nexus);
    const browser = new Browser(nexus.url);
    const answer = await enter(browser, code);
    assert.equal(answer.status, 200);
    assert.equal(answer.body['operator'], 'operator');
    assert.equal(answer.headers['cache-control'], 'no-store');
    const [cookie = ''] = answer.headers['set-cookie'] ?? [];
    assert.match(
      cookie,
      /^nexus_[0-9a-f]{8}=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    assert.equal(await statusOfMe(browser), 200);

    const second = new Browser(nexus.url);
    assert.equal((await enter(second, code)).status, 401);
    assert.equal(await statusOfMe(second), 401);
  });

  test('keeps neither code nor cookie: what is stored lets nobody in', async (t) => {
    const nexus = await startNexus(t);
    const code = await newCode(nexus);
    const browser = new Browser(nexus.url);
    await enter(browser, code);
    const secret = browser.cookie?.split('=')[1] ?? '';
    const db = new SqliteDatabase(`${nexus.dataDir}/nexus.db`, { readonly: true });
    const stored = JSON.stringify([
      db.prepare('SELECT * FROM journal').all(),
      db.prepare('SELECT * FROM operator_sessions').all(),
    ]);
    db.close();
    assert.ok(secret.length > 40 && !stored.includes(secret) && !stored.includes(code));
  });

  test('is void after ten minutes', async (t) => {
    const clock = new FakeClock();
    const nexus = await startNexus(t, { clock });
    const code = await newCode(nexus);
    clock.advance(600_000);
    assert.equal((await enter(new Browser(nexus.url), code)).status, 401);
  });

  test('guessing costs more time with each failure, and is recorded', async (t) => {
    const clock = new FakeClock();
    const nexus = await startNexus(t, { clock, ...roomy });
    const browser = new Browser(nexus.url);
    const statuses: number[] = [];
    for (let n = 0; n < 6; n += 1) statuses.push((await enter(browser, `guess ${n}`)).status);
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429]);
    const code = await newCode(nexus);
    const slow = await enter(browser, code);
    assert.equal(slow.status, 429);
    assert.equal(slow.headers['retry-after'], '1');
    clock.advance(1_000);
    assert.equal((await enter(browser, code)).status, 200, 'waiting did not use it up');
    const failures = recorded(nexus, 'operator.login_failed');
    assert.equal(failures.length, 5);
    assert.equal(failures[0]?.['address'], '127.0.0.1');
    assert.ok(!JSON.stringify(failures).includes('guess'));
  });

  test('too many requests are refused whether or not they fail', async (t) => {
    const rate = { times: 3, windowS: 60 };
    const rates = { perAddress: rate, fromLoopback: rate, inAll: { times: 100, windowS: 60 } };
    const nexus = await startNexus(t, { operators: { rates } });
    const browser = new Browser(nexus.url);
    const path = '/api/operator/login/begin';
    for (let n = 0; n < 3; n += 1) assert.equal((await browser.call('POST', path)).status, 409);
    const { status, headers, body } = await browser.call('POST', path);
    assert.equal(status, 429);
    assert.ok(Number(headers['retry-after']) > 0);
    assert.match(String(body['error']), /too many requests/);
  });
});

suite('a browser’s session', () => {
  test('ends when it is not used for 12 hours, and after 7 days whatever happens', async (t) => {
    const clock = new FakeClock();
    const nexus = await startNexus(t, { clock, ...roomy });
    const [idle, busy] = [await signedIn(nexus), await signedIn(nexus)];
    clock.advance(12 * hourMs - 1);
    assert.equal(await statusOfMe(busy), 200);
    clock.advance(1);
    assert.equal(await statusOfMe(idle), 401);
    assert.equal(await statusOfMe(busy), 200);
    const used = 12 * hourMs;
    for (let at = used + 11 * hourMs; at < 168 * hourMs; at += 11 * hourMs) {
      clock.advance(11 * hourMs);
      assert.equal(await statusOfMe(busy), 200, `after ${at / hourMs} hours`);
    }
    clock.advance(11 * hourMs);
    assert.equal(await statusOfMe(busy), 401);
  });

  test('is recorded as used once an hour at most, so that a restart does not end it', async (t) => {
    const clock = new FakeClock();
    const nexus = await startNexus(t, { clock, ...roomy });
    const browser = await signedIn(nexus);
    for (let n = 0; n < 20; n += 1) {
      clock.advance(hourMs / 2);
      await statusOfMe(browser);
    }
    const times = recorded(nexus, 'operator.session_seen').length;
    assert.ok(times > 0 && times <= 10, `${times} times`);
    await nexus.close();
    const later = new Browser((await startNexus(t, { clock, dataDir: nexus.dataDir })).url);
    later.cookie = browser.cookie;
    clock.advance(11 * hourMs);
    assert.equal(await statusOfMe(later), 200);
  });

  test('is listed with where it is from, and ends at once when it is signed out', async (t) => {
    const nexus = await startNexus(t, roomy);
    const [mine, other] = [await signedIn(nexus), await signedIn(nexus)];
    const { body } = await mine.call('GET', '/api/operator/sessions');
    const sessions = body['sessions'] as { id: string; current: boolean; address: string }[];
    assert.equal(sessions.length, 2);
    assert.deepEqual(
      sessions.map(({ current, address }) => [current, address]),
      [
        [true, '127.0.0.1'],
        [false, '127.0.0.1'],
      ],
    );
    const theirs = sessions.find(({ current }) => !current)?.id;
    const path = `/api/operator/sessions/${theirs}`;
    assert.equal((await mine.call('DELETE', path)).status, 200);
    assert.equal(await statusOfMe(other), 401);
    assert.equal(await statusOfMe(mine), 200);
    assert.equal((await mine.call('DELETE', path)).status, 404);
    assert.deepEqual(
      recorded(nexus, 'operator.session_ended').map(({ actor, why }) => [actor, why]),
      [['operator', 'sign-out']],
    );
  });

  test('signing out clears the cookie; the operator’s token has no session to end', async (t) => {
    const nexus = await startNexus(t, roomy);
    const browser = await signedIn(nexus);
    const answer = await browser.call('POST', '/api/operator/logout');
    assert.equal(answer.status, 200);
    assert.match(String(answer.headers['set-cookie']), /^nexus_[0-9a-f]{8}=; Max-Age=0;/);
    assert.equal((await asOperator(nexus, 'POST', '/api/operator/logout')).status, 400);
  });

  test('one more than 32 ends the oldest', async (t) => {
    const nexus = await startNexus(t, roomy);
    const first = await signedIn(nexus);
    const second = await signedIn(nexus);
    for (let n = 0; n < 31; n += 1) await signedIn(nexus);
    assert.equal(await statusOfMe(first), 401);
    assert.equal(await statusOfMe(second), 200);
  });
});

suite('several operators', () => {
  test('are added, changed and removed, and what changes counts at once', async (t) => {
    const nexus = await startNexus(t, roomy);
    const ana = await signedIn(nexus, { operator: 'ana', role: 'viewer' });
    const { body } = await ana.call('GET', '/api/operator/me');
    assert.deepEqual([body['operator'], body['role']], ['ana', 'viewer']);
    const list = () => ana.call('GET', '/api/operators');
    assert.equal((await list()).status, 403);
    await asOperator(nexus, 'PUT', '/api/operators/ana', { role: 'admin' });
    const operators = (await list()).body['operators'] as { name: string; role: string }[];
    assert.deepEqual(
      operators.map(({ name, role }) => [name, role]),
      [
        ['operator', 'admin'],
        ['ana', 'admin'],
      ],
    );
    await asOperator(nexus, 'DELETE', '/api/operators/Ana');
    assert.equal(await statusOfMe(ana), 401);
    assert.deepEqual(
      recorded(nexus, 'operator.role_changed').map(({ actor, name }) => [actor, name]),
      [['operator', 'ana']],
    );
  });

  test('what an operator does is recorded under their own name', async (t) => {
    const nexus = await startNexus(t, roomy);
    const ana = await signedIn(nexus, { operator: 'ana', role: 'admin' });
    assert.equal((await ana.call('POST', '/api/admin/tokens', { name: 'wren' })).status, 201);
    const tokens = recorded(nexus, 'token.issued');
    assert.equal(tokens.at(-1)?.['actor'], 'operator:ana');
  });

  test('see their own sessions only, unless they are admins', async (t) => {
    const nexus = await startNexus(t, roomy);
    const first = await signedIn(nexus);
    const ana = await signedIn(nexus, { operator: 'ana', role: 'operator' });
    const rows = async (browser: Browser) =>
      (await browser.call('GET', '/api/operator/sessions')).body['sessions'] as { id: string }[];
    assert.equal((await rows(first)).length, 2);
    assert.equal((await rows(ana)).length, 1);
    const [other] = await rows(first);
    assert.equal((await ana.call('DELETE', `/api/operator/sessions/${other?.id}`)).status, 404);
  });

  test('names are refused that are taken, reserved or none, and roles that do not exist', async (t) => {
    const nexus = await startNexus(t, roomy);
    const add = async (name: string, role = 'viewer') =>
      (await asOperator(nexus, 'POST', '/api/operators', { name, role })).status;
    assert.equal(await add('ana'), 201);
    assert.equal(await add('ANA'), 409);
    assert.equal(await add('operator'), 409);
    assert.equal(await add('system'), 400);
    assert.equal(await add('a b'), 400);
    assert.equal(await add('ben', 'owner'), 400);
    for (let n = 1; n < 63; n += 1) assert.equal(await add(`person-${n}`), 201);
    assert.equal(await add('one-more'), 413);
    const first = '/api/operators/operator';
    assert.equal((await asOperator(nexus, 'PUT', first, { role: 'viewer' })).status, 409);
    assert.equal((await asOperator(nexus, 'DELETE', first)).status, 409);
    assert.equal((await asOperator(nexus, 'DELETE', '/api/operators/nobody')).status, 404);
  });
});

suite('a reset', () => {
  test('shuts everybody out, sockets included, and leaves a new token on the host', async (t) => {
    const nexus = await startNexus(t, roomy);
    const old = nexus.operatorToken();
    const browser = await signedIn(nexus);
    const socket = await nexus.operator();
    const aspect = await nexus.aspect('wren');
    const code = await newCode(nexus);
    assert.equal((await asOperator(nexus, 'POST', '/api/operator/reset')).status, 200);
    assert.equal((await socket.closed).code, 4401);
    assert.equal(await statusOfMe(browser), 401);
    assert.equal((await enter(new Browser(nexus.url), code)).status, 401);
    assert.notEqual(nexus.operatorToken(), old);
    const headers = { authorization: `Bearer ${old}` };
    assert.equal((await call(nexus.url, 'GET', '/api/operator/me', { headers })).status, 401);
    assert.equal((await asOperator(nexus, 'GET', '/api/operator/me')).status, 200);
    assert.equal(aspect.ws.readyState, aspect.ws.OPEN, 'aspects stay');
  });
});

suite('the pages', () => {
  test('run nothing but our own files, are framed by nobody, and tell nobody where they are', async (t) => {
    const nexus = await startNexus(t);
    for (const path of ['/', '/login', '/page/home.js', '/page/page.css', '/page/webauthn.js']) {
      const { status, headers } = await call(nexus.url, 'GET', path);
      assert.equal(status, 200, path);
      const policy = String(headers['content-security-policy']);
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.doesNotMatch(policy, /unsafe|\*/);
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }
    for (const name of ['nothing.js', '..%2fpasskeys.ts', 'constructor', '__proto__']) {
      assert.equal((await call(nexus.url, 'GET', `/page/${name}`)).status, 404, name);
    }
  });
});
