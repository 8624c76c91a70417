import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { type Answer, restCaller } from './rest-caller.ts';
import { startNexus, temporaryFolder } from './start-nexus.ts';

const cap = 256 * 1024;

async function setUp(t: TestContext) {
  const nexus = await startNexus(t);
  const wren = restCaller(nexus, await nexus.token('wren'));
  const operator = restCaller(nexus, nexus.operatorToken());
  return { nexus, wren, operator };
}

/** A JSON body of so many bytes, in one member. */
function bodyOfSize(bytes: number, member: string): string {
  const empty = JSON.stringify({ [member]: '' });
  return JSON.stringify({ [member]: 'x'.repeat(bytes - empty.length) });
}

const outcome = ({ status, body }: Answer) => [status, body['error']];

suite('personalities over REST', () => {
  test('an aspect replaces its own, the operator anybody’s, in either spelling', async (t) => {
    const { wren, operator } = await setUp(t);
    const all = { nexus_md: 'Review.', soul_md: 'Kind.', primer_md: 'New here.' };
    assert.deepEqual(await wren('PUT', '/api/aspect/personality', all), {
      status: 200,
      body: { aspect: 'wren', old_version: 0, new_version: 1 },
    });
    const same = await wren('PUT', '/api/aspect/personality', all);
    assert.deepEqual(same.body, { aspect: 'wren', old_version: 1, new_version: 1 });
    for (const [path, version] of [
      ['/api/admin/aspect/WREN/personality', 2],
      ['/api/admin/aspects/wren/personality', 3],
    ] as const) {
      const change = await operator('PUT', path, { soul_md: `soul ${version}` });
      assert.deepEqual(change.body, {
        aspect: 'wren',
        old_version: version - 1,
        new_version: version,
      });
    }
    const { body } = await operator('GET', '/api/admin/aspect/wren/personality');
    const { updated_at, ...rest } = body;
    assert.match(String(updated_at), /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(rest, {
      aspect: 'wren',
      version: 3,
      nexus_md: '',
      soul_md: 'soul 3',
      primer_md: '',
      composed: 'soul 3',
      central_nexus_md: '',
      central_version: 0,
    });
    const first = await operator('GET', '/api/admin/aspects/wren/personality?version=1');
    assert.equal(first.body['composed'], 'Review.\n\n---\n\nKind.\n\n---\n\nNew here.');
  });

  test('the central document has its own versions, and reaches everybody connected', async (t) => {
    const { nexus, operator } = await setUp(t);
    const aspects = [await nexus.aspect('wren'), await nexus.aspect('anvil')];
    const none = { status: 200, body: { nexus_md: '', version: 0 } };
    assert.deepEqual(await operator('GET', '/api/admin/nexus-md'), none);
    const put = (nexus_md: string, query = '') =>
      operator('PUT', `/api/admin/nexus-md${query}`, { nexus_md });
    assert.deepEqual((await put('Us.')).body, { old_version: 0, new_version: 1 });
    assert.deepEqual((await put('Us.')).body, { old_version: 1, new_version: 1 });
    assert.deepEqual((await put('All.', '?if_version=1')).body, { old_version: 1, new_version: 2 });
    assert.equal((await operator('GET', '/api/admin/nexus-md?version=1')).body['nexus_md'], 'Us.');
    for (const aspect of aspects) {
      await aspect.until(() => aspect.payloadsOf('personality.refresh').length === 2);
      assert.deepEqual(
        aspect
          .payloadsOf('personality.refresh')
          .map(({ version, central_version, central_nexus_md }) => [
            version,
            central_version,
            central_nexus_md,
          ]),
        [
          [0, 1, 'Us.'],
          [0, 2, 'All.'],
        ],
      );
    }
  });

  test('both have as much room as a request, and not a byte more', async (t) => {
    const { wren, operator } = await setUp(t);
    const own = '/api/aspect/personality';
    const central = '/api/admin/nexus-md';
    assert.equal((await wren('PUT', own, bodyOfSize(cap, 'soul_md'))).status, 200);
    assert.equal((await operator('PUT', central, bodyOfSize(cap, 'nexus_md'))).status, 200);
    assert.equal((await wren('PUT', own, bodyOfSize(cap + 1, 'soul_md'))).status, 413);
    assert.equal((await operator('PUT', central, bodyOfSize(cap + 1, 'nexus_md'))).status, 413);
  });

  test('what is both full reaches the aspect in one frame', async (t) => {
    const { nexus, wren: call, operator } = await setUp(t);
    await call('PUT', '/api/aspect/personality', bodyOfSize(cap, 'soul_md'));
    const quotes = JSON.stringify({ nexus_md: '"'.repeat(cap / 2 - 10) });
    assert.equal((await operator('PUT', '/api/admin/nexus-md', quotes)).status, 200);
    const wren = await nexus.aspect('wren');
    const { composed, central_nexus_md } = await wren.request('personality.get', {});
    assert.ok(String(composed).length > cap - 100);
    assert.equal(String(central_nexus_md).length, cap / 2 - 10);
  });

  test('refuses in the words of the reference', async (t) => {
    const { nexus, wren, operator } = await setUp(t);
    const frame = restCaller(nexus, await nexus.token('keel'));
    const one = { soul_md: 'Kind.' };
    await wren('PUT', '/api/aspect/personality', one);
    const path = '/api/admin/aspect/wren/personality';
    const refusals: [number, RegExp, Promise<Answer>][] = [
      [401, /^missing bearer token$/, restCaller(nexus)('PUT', path, one)],
      [401, /^invalid bearer token$/, restCaller(nexus, 'x')('PUT', path, one)],
      [403, /^admin_required$/, wren('PUT', path, one)],
      [403, /^admin_required$/, frame('GET', path)],
      [403, /^admin_required$/, wren('GET', '/api/admin/nexus-md')],
      [403, /^admin_required$/, wren('PUT', '/api/admin/nexus-md', { nexus_md: '' })],
      [404, /^unknown aspect$/, operator('PUT', '/api/admin/aspect/nobody/personality', one)],
      [404, /^unknown aspect$/, operator('GET', '/api/admin/aspect/operator/personality')],
      [404, /^aspect no longer exists$/, operator('PUT', '/api/aspect/personality', one)],
      [404, /version 9 of wren is not kept/, operator('GET', `${path}?version=9`)],
      [409, /wren is at version 1, not 7/, operator('PUT', `${path}?if_version=7`, one)],
      [400, /if_version must be a version/, operator('PUT', `${path}?if_version=x`, one)],
      [400, /not JSON/, operator('PUT', path, '{')],
      [400, /must be object/, operator('PUT', path, '[]')],
      [400, /fewer than 1/, operator('PUT', path, {})],
      [400, /\/soul_md must be string/, operator('PUT', path, { soul_md: 7 })],
      [400, /additional properties/, operator('PUT', path, { ...one, composed: '' })],
      [400, /unknown member "composed"/, operator('PUT', path, { ...one, composed: null })],
      [400, /nexus_md/, operator('PUT', '/api/admin/nexus-md', {})],
      [400, /additional/, operator('PUT', '/api/admin/nexus-md', { nexus_md: '', version: 1 })],
    ];
    for (const [status, text, asked] of refusals) {
      const answer = await asked;
      assert.equal(answer.status, status, `${text}: ${JSON.stringify(answer.body)}`);
      assert.match(String(answer.body['error']), text);
    }
  });
});

suite('the broker over REST', () => {
  test('switches an aspect’s surface and has it start again', async (t) => {
    const { nexus, operator } = await setUp(t);
    const wren = await nexus.aspect('wren');
    const path = '/api/admin/aspects/Wren/switch-surface';
    const stay = { aspect: 'wren', primary_surface: 'funnel', restart_needed: false };
    assert.deepEqual((await operator('PUT', path, { primary_surface: 'funnel' })).body, stay);
    assert.deepEqual((await operator('PUT', path, { primary_surface: 'agora' })).body, {
      aspect: 'wren',
      primary_surface: 'agora',
      previous_surface: 'funnel',
      restart_needed: true,
    });
    assert.deepEqual(await wren.closed, { code: 1000, reason: 'surface switched' });
    const { body } = await operator('GET', '/api/admin/roster');
    const [row] = body['aspects'] as Record<string, unknown>[];
    assert.deepEqual([row?.['name'], row?.['primary_surface']], ['wren', 'agora']);

    const put = async (name: string, primary_surface: string) =>
      (await operator('PUT', `/api/admin/aspect/${name}/switch-surface`, { primary_surface }))
        .status;
    assert.equal(await put('wren', 'console'), 400);
    assert.equal(await put('nobody', 'agora'), 404);
    await nexus.token('anvil');
    assert.equal(await put('anvil', 'agora'), 409, 'it never registered');
  });

  test('tells what the Hands do: nothing, within limits', async (t) => {
    const { operator } = await setUp(t);
    assert.deepEqual((await operator('GET', '/api/admin/dispatch-status')).body, {
      active_workers: 0,
      soft_cap: 3,
      hard_ceiling: 4,
      queue_depth: 0,
      busy_aspects: [],
    });
  });

  test('checks a rewind before it says that nobody serves it', async (t) => {
    const { operator } = await setUp(t);
    const rewind = async (body: unknown) =>
      outcome(await operator('POST', '/api/admin/rewind', body));
    const notServed = (action: string) => [
      501,
      `unsupported: no runtime here serves ${action} yet`,
    ];
    for (const turns of [1, 1000]) {
      assert.deepEqual(await rewind({ thread_id: '7', turns }), notServed('rewind'));
    }
    for (const [wrong, field] of [
      [{ thread_id: '7', turns: 0 }, /\/turns/],
      [{ thread_id: '7', turns: 1001 }, /\/turns/],
      [{ thread_id: '', turns: 1 }, /\/thread_id/],
      [{ turns: 1 }, /thread_id/],
      [{ thread_id: '7', turns: 1, aspect: 'wren' }, /additional/],
    ] as const) {
      const [status, error] = await rewind(wrong);
      assert.equal(status, 400);
      assert.match(String(error), field);
    }
    assert.equal((await rewind(`{${' '.repeat(4_095)}`))[0], 400);
    assert.equal((await rewind(`{${' '.repeat(4_096)}`))[0], 413);
    assert.deepEqual(outcome(await operator('POST', '/api/admin/compact')), notServed('compact'));
  });

  test('stops when an admin says so, and records who did', async (t) => {
    const dataDir = temporaryFolder(t);
    const nexus = await startNexus(t, { dataDir });
    const operator = restCaller(nexus, nexus.operatorToken());
    const { status, body } = await operator('POST', '/api/admin/shutdown');
    const { op_id, ...rest } = body;
    assert.deepEqual([status, rest], [202, { action: 'shutdown', status: 'running' }]);
    const { started_at, ...record } = (await operator('GET', `/api/admin/op/${op_id}`)).body;
    assert.deepEqual(record, { op_id, action: 'shutdown', status: 'running' });
    assert.match(String(started_at), /^\d{4}-\d\d-\d\dT/);
    const unknown = await operator('GET', '/api/admin/op/nothing');
    assert.deepEqual(outcome(unknown), [404, 'op_not_found']);
    await nexus.broker.shutdownAsked;
  });

  test('is for admins: an aspect gets 403 everywhere, the Frame’s token does not', async (t) => {
    const { nexus, wren, operator } = await setUp(t);
    const issued = await operator('POST', '/api/admin/tokens', { name: 'keel', admin: true });
    const keel = restCaller(nexus, String(issued.body['token']));
    for (const [method, path, status] of [
      ['GET', '/api/admin/roster', 200],
      ['GET', '/api/admin/dispatch-status', 200],
      ['GET', '/api/admin/nexus-md', 200],
      ['GET', '/api/admin/aspect/wren/personality', 200],
      ['GET', '/api/admin/op/nothing', 404],
      ['POST', '/api/admin/compact', 501],
      ['PUT', '/api/admin/aspects/wren/switch-surface', 400],
      ['POST', '/api/admin/rewind', 400],
      ['POST', '/api/admin/shutdown', 202],
    ] as const) {
      assert.deepEqual(outcome(await wren(method, path)), [403, 'admin_required'], path);
      assert.equal((await keel(method, path)).status, status, path);
    }
  });
});
