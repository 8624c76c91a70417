import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { Browser } from '../integration/http-client.ts';
import { nexus, Place, Run } from './nexus-process.ts';

suite('nexus operator', () => {
  test('makes links, manages operators and sessions, and tells programs in JSON', async (t) => {
    const place = new Place(t, { empty: true });
    const server = new Run(place, ['serve', '--json', '--addr', '127.0.0.1:0']);
    const { url } = await server.event('ready');
    const operator = async (...args: string[]) => {
      const { code, stdout, stderr } = await nexus(place, ['operator', ...args]);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const json = async (...args: string[]) => JSON.parse(await operator(...args, '--json'));

    const made = await json('add', 'ana', '--role', 'viewer');
    assert.deepEqual([made.name, made.role], ['ana', 'viewer']);
    const browser = new Browser(String(url));
    const code = new URL(made.login_url).hash.slice(1);
    await browser.call('POST', '/api/operator/login/code', { code });

    assert.match(
      await operator('list'),
      /^NAME\s+ROLE\s+SINCE\noperator\s+admin\nana\s+viewer\s+20/,
    );
    assert.match(await operator('role', 'ana', '--role', 'operator'), /ana is now operator/);
    const { id, operator: whose } = await json('sessions');
    assert.equal(whose, 'ana');
    assert.equal((await browser.call('GET', '/api/operator/me')).body['role'], 'operator');
    await operator('sign-out', id);
    assert.equal((await browser.call('GET', '/api/operator/me')).status, 401);
    assert.match(
      await operator('login', 'ana'),
      /^http:\/\/localhost:\d+\/login#[\w-]+\nlets ana in/,
    );
    await operator('remove', 'ana');
    assert.match(await operator('list'), /^NAME\s+ROLE\s+SINCE\noperator\s+admin\n$/);
  });

  test('resets also when no broker runs, and leaves none running', async (t) => {
    const place = new Place(t, { empty: true });
    const server = new Run(place, ['serve', '--json', '--addr', '127.0.0.1:0']);
    await server.event('ready');
    const token = () => readFileSync(place.file('data', 'operator.token'), 'utf8');
    const first = token();
    assert.equal((await nexus(place, ['operator', 'reset'])).code, 0);
    const second = token();
    assert.notEqual(second, first);
    assert.equal((await nexus(place, ['operator', 'list'])).code, 0, 'with the new token');
    server.child.kill('SIGTERM');
    await server.ended;
    const { code, stdout } = await nexus(place, ['operator', 'reset', '--json']);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), { ok: true });
    assert.notEqual(token(), second);
    assert.ok(!existsSync(place.file('data', 'broker.json')));
  });

  test('refuses in one line, with the exit code that says why', async (t) => {
    const place = new Place(t, { empty: true });
    const refusals: [string[], number, RegExp][] = [
      [['add', 'ana'], 2, /add needs --role viewer\|operator\|admin/],
      [['add', '--role', 'viewer'], 2, /add needs a NAME/],
      [['add', 'ana', '--role', 'owner'], 2, /role/],
      [['sign-out'], 2, /needs the id of a session/],
      [['nonsense'], 2, /action/],
      [['list'], 1, /no broker is running/],
    ];
    for (const [args, expected, says] of refusals) {
      const { code, stderr, stdout } = await nexus(place, ['operator', ...args]);
      assert.equal(code, expected, stderr);
      assert.match(stderr, says);
      assert.equal(stdout, '');
    }
    assert.ok(!existsSync(place.file('data')), 'asking makes nothing');
  });
});
