import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { operatorCall, restCaller } from './rest-caller.ts';
import { type StartNexusOptions, startNexus } from './start-nexus.ts';

const jira = {
  atlassian_email: 'wren@team.test',
  atlassian_token: 'jira-token',
  atlassian_subdomain: 'team',
};
const imap = { host: 'mail.test', user: 'wren', password: 'pass-word', port: 993, ssl: true };
const provider = { api_shape: 'anthropic', base_url: 'https://api.test', key: 'sk-1' };

const credentials = '/api/admin/credentials';
const at = (name: string): string => `${credentials}/${encodeURIComponent(name)}`;

async function withVault(t: TestContext, options: StartNexusOptions = {}) {
  const clock = new FakeClock(Date.UTC(2026, 4, 1));
  const nexus = await startNexus(t, { clock, ...options });
  const operator = operatorCall(nexus);
  const put = async (name: string, body: object) => {
    const answer = await operator('PUT', at(name), body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  };
  const audit = async (name: string) => {
    const { body } = await operator('GET', `${at(name)}/audit`);
    return body['audit'] as {
      id: number;
      action: string;
      details: { reason?: string; identity?: string };
    }[];
  };
  return { nexus, clock, operator, put, audit };
}

suite('credentials over REST', () => {
  test('are stored, shown without their bundle, listed and deleted', async (t) => {
    const { operator, put, clock } = await withVault(t);
    const stored = await put('work.mail', {
      kind: 'imap',
      bundle: { ...imap, extra: ['kept'] },
      allowed_aspects: ['wren', '*'],
      mode: 'both',
      description: 'the team’s mail',
    });
    const { key_id, ...rest } = stored;
    assert.match(String(key_id), /^[0-9a-f]{16}$/);
    assert.deepEqual(rest, {
      name: 'work.mail',
      description: 'the team’s mail',
      kind: 'imap',
      allowed_aspects: ['wren', '*'],
      mode: 'both',
      created_at: '2026-05-01T00:00:00.000Z',
      updated_at: '2026-05-01T00:00:00.000Z',
    });
    clock.advance(1_000);
    await put('tickets', { kind: 'jira', bundle: jira });
    assert.deepEqual((await operator('GET', at('work.mail'))).body, stored);
    const names = async (query: string) => {
      const { body } = await operator('GET', `${credentials}${query}`);
      return (body['credentials'] as { name: string }[]).map(({ name }) => name);
    };
    assert.deepEqual(await names(''), ['tickets', 'work.mail']);
    assert.deepEqual(await names('?kind='), ['tickets', 'work.mail']);
    assert.deepEqual(await names('?kind=jira'), ['tickets']);
    assert.equal((await operator('GET', `${credentials}?kind=ssh`)).status, 400);

    assert.deepEqual(await operator('DELETE', at('tickets')), { status: 204, body: {} });
    const gone = { status: 404, body: { error: 'credential not found' } };
    for (const method of ['GET', 'DELETE']) {
      assert.deepEqual(await operator(method, at('tickets')), gone);
    }
  });

  test('may have names of any text', async (t) => {
    const { operator, put } = await withVault(t);
    for (const name of ['a/b', 'a.b', '50%', '%2F', 'a?b#c', 'ünï ✓', 'q\'"}', 'audit']) {
      assert.equal((await put(name, { kind: 'jira', bundle: jira }))['name'], name);
      assert.equal((await operator('GET', at(name))).body['name'], name);
      assert.deepEqual((await operator('GET', `${at(name)}/audit`)).body, { audit: [] });
      assert.equal((await operator('DELETE', at(name))).status, 204);
    }
  });

  test('come in the older shape too, and with the nulls of Go', async (t) => {
    const { put } = await withVault(t);
    const older = await put('main', { ...provider, default_model: 'm', kind: null, mode: 'fetch' });
    assert.deepEqual([older['kind'], older['mode']], ['provider', 'fetch']);
    const ignored = { ...provider, key: 7, unknown: {} };
    const body = { ...ignored, key: 'x', kind: 'jira', bundle: { ...jira, extra: null } };
    assert.equal((await put('both', body))['kind'], 'jira', 'a kind decides');
    const nulls = { allowed_aspects: null, description: null, mode: null };
    const kept = await put('main', { ...nulls, kind: 'provider', bundle: provider });
    assert.equal(kept['mode'], 'fetch');
  });

  test('are refused with what is wrong, and without a word of what was sent', async (t) => {
    const { operator } = await withVault(t);
    const put = (name: string, body: unknown) => operator('PUT', at(name), body);
    const secret = 'hunter2-canary';
    const bundle = { ...jira, atlassian_token: secret };
    const refusals: [number, RegExp, ReturnType<typeof put>][] = [
      [400, /not JSON/, put('x', `{"key":"${secret}"`)],
      [400, /must be object/, put('x', [secret])],
      [400, /kind/, put('x', { kind: secret, bundle })],
      [400, /kind is required/, put('x', { bundle })],
      [400, /bundle is required/, put('x', { kind: 'jira' })],
      [400, /bundle must be object/, put('x', { kind: 'jira', bundle: secret })],
      [400, /atlassian_email/, put('x', { kind: 'jira', bundle: { atlassian_token: secret } })],
      [400, /api_shape/, put('x', { ...provider, api_shape: secret })],
      [400, /mode/, put('x', { kind: 'jira', bundle, mode: secret })],
      [400, /allowed_aspects/, put('x', { kind: 'jira', bundle, allowed_aspects: 'wren' })],
      [400, /is not a name/, put('x', { kind: 'jira', bundle, allowed_aspects: ['a b'] })],
      [400, /name/, put(' x', { kind: 'jira', bundle })],
      [400, /name/, put('x'.repeat(201), { kind: 'jira', bundle })],
      [400, /one line/, put('x', { kind: 'jira', bundle, description: 'a\nb' })],
      [413, /bytes/, put('x', { kind: 'jira', bundle: { ...bundle, more: 'x'.repeat(62_000) } })],
      [413, /65536 bytes/, put('x', { kind: 'jira', bundle, more: 'x'.repeat(66_000) })],
    ];
    for (const [status, says, answer] of refusals) {
      const { status: given, body } = await answer;
      assert.equal(given, status, JSON.stringify(body));
      assert.match(String(body['error']), says);
      assert.ok(!JSON.stringify(body).includes(secret), JSON.stringify(body));
    }
    assert.deepEqual((await operator('GET', credentials)).body, { credentials: [] });
  });

  test('are for operators and admins', async (t) => {
    const { nexus, operator, put } = await withVault(t);
    await put('main', provider);
    const wren = restCaller(nexus, await nexus.token('wren'));
    const issued = await operator('POST', '/api/admin/tokens', { name: 'keel', admin: true });
    const keel = restCaller(nexus, String(issued.body['token']));
    const routes: [string, string, unknown?][] = [
      ['GET', credentials],
      ['GET', at('main')],
      ['GET', at('nowhere')],
      ['PUT', at('main'), { mode: 'both' }],
      ['GET', `${at('main')}/audit`],
      ['POST', '/api/admin/vault/rotate-key'],
      ['GET', '/api/admin/aspects/wren/credential-defaults'],
      ['PUT', '/api/admin/aspects/wren/credential-defaults', {}],
      ['GET', '/api/admin/aspects/wren/mcp_profile'],
      ['PUT', '/api/admin/aspects/wren/mcp_profile', {}],
      ['DELETE', at('main')],
    ];
    for (const [method, path, body] of routes) {
      const refused = { status: 403, body: { error: 'admin_required' } };
      assert.deepEqual(await wren(method, path, body), refused, path);
      const { status } = await keel(method, path, body);
      assert.ok(status < 300 || path === at('nowhere'), `${method} ${path}: ${status}`);
    }
  });
});

suite('credential.fetch', () => {
  test('gives an aspect what its operator allows it, and says when it was used', async (t) => {
    const { nexus, put, operator, audit, clock } = await withVault(t);
    const wren = await nexus.aspect('wren', { register: false });
    await put('tickets', { kind: 'jira', bundle: jira, allowed_aspects: ['WREN'] });
    clock.advance(5_000);
    assert.deepEqual(await wren.request('credential.fetch', { kind: 'jira', name: 'tickets' }), {
      name: 'tickets',
      kind: 'jira',
      bundle: jira,
    });
    const { body } = await operator('GET', at('tickets'));
    assert.equal(body['last_used_at'], '2026-05-01T00:00:05.000Z');
    const [row] = await audit('tickets');
    const { id, ...facts } = row ?? { id: undefined };
    assert.equal(typeof id, 'number');
    assert.deepEqual(facts, {
      credential_name: 'tickets',
      aspect: 'wren',
      action: 'fetch',
      ts: '2026-05-01T00:00:05Z',
      details: { via: 'credential.fetch', kind: 'jira', connection: 1 },
    });
  });

  test('answers alike for what is not there and what is another’s, and records both', async (t) => {
    const { nexus, put, audit } = await withVault(t);
    const wren = await nexus.aspect('wren');
    await put('others', { kind: 'jira', bundle: jira, allowed_aspects: ['anvil'] });
    await put('nobodys', { kind: 'imap', bundle: imap, mode: 'proxy' });
    const ask = async (name: string, kind = 'jira') => {
      const answer = await wren.ask('credential.fetch', { kind, name });
      assert.equal(answer.kind, 'credential.fetch.error');
      return JSON.stringify(answer.payload).replaceAll(name, 'NAME');
    };
    const missing = await ask('nowhere');
    assert.equal(
      missing,
      '{"error":"no jira credential \\"NAME\\" is stored for wren","code":"not_found"}',
    );
    assert.equal(await ask('others'), missing);
    assert.equal(await ask('nobodys'), missing, 'neither its kind nor its mode is told');
    const outcomes = await Promise.all(['nowhere', 'others', 'nobodys'].map(audit));
    assert.deepEqual(
      outcomes.map((rows) => rows.map(({ action, details }) => [action, details.reason])),
      [[['denied', 'unknown']], [['denied', 'not_allowed']], [['denied', 'not_allowed']]],
    );
  });

  test('tells an aspect on the list that kind or mode are in the way', async (t) => {
    const { nexus, put, audit } = await withVault(t);
    const wren = await nexus.aspect('wren');
    await put('main', { ...provider, allowed_aspects: ['*'] });
    const refused = (kind: string) => wren.refused('credential.fetch', { kind, name: 'main' });
    assert.equal(await refused('jira'), 'bad_request');
    assert.equal(await refused('provider'), 'forbidden');
    await put('main', { mode: 'both' });
    const { bundle } = await wren.request('credential.fetch', { kind: 'provider', name: 'main' });
    assert.deepEqual(bundle, provider);
    const reasons = (await audit('main')).map(({ action, details }) => details.reason ?? action);
    assert.deepEqual(reasons, ['fetch', 'proxy_only', 'other_kind'], 'the newest first');
  });

  test('is for aspects: no operator, and nobody in another’s name', async (t) => {
    const { nexus, put } = await withVault(t);
    await put('tickets', { kind: 'jira', bundle: jira, allowed_aspects: ['*'] });
    const ask = { kind: 'jira', name: 'tickets' };
    const operator = await nexus.operator();
    assert.equal(await operator.refused('credential.fetch', ask), 'forbidden');
    const wren = await nexus.aspect('wren');
    const forged = { ...ask, aspect: 'anvil' };
    assert.equal(await wren.refused('credential.fetch', forged), 'forbidden');
    assert.equal((await wren.request('credential.fetch', ask))['name'], 'tickets');
  });

  test('goes by the aspect behind an Outpost, and by whom an admin speaks for', async (t) => {
    const { nexus, put, operator, audit } = await withVault(t);
    await put('tickets', { kind: 'jira', bundle: jira, allowed_aspects: ['wren'] });
    const issue = async (body: object) => {
      const { body: issued } = await operator('POST', '/api/admin/tokens', body);
      return nexus.connect(String(issued['token']));
    };
    await nexus.token('wren');
    await nexus.token('anvil');
    const host = await issue({ name: 'host', grants: ['wren', 'anvil'] });
    await host.request('outpost.register', { outpost_id: 'host' }, 'outpost.register.ack');
    for (const name of ['wren', 'anvil']) await host.register(name);
    const ask = { kind: 'jira', name: 'tickets' };
    const given = await host.ask('credential.fetch', { ...ask, aspect: 'wren' });
    assert.equal(given.payload?.['name'], 'tickets');
    assert.equal(given.target_aspect, 'wren');
    assert.equal(await host.refused('credential.fetch', { ...ask, aspect: 'anvil' }), 'not_found');
    assert.equal(await host.refused('credential.fetch', ask), 'bad_request');

    const keel = await issue({ name: 'keel', admin: true });
    assert.equal(await keel.refused('credential.fetch', ask), 'not_found');
    await keel.request('credential.fetch', { ...ask, aspect: 'wren' });
    const [lent] = await audit('tickets');
    assert.equal(lent?.details.identity, 'keel');
  });

  test('without a name gives the aspect’s default', async (t) => {
    const { nexus, put, operator } = await withVault(t);
    const wren = await nexus.aspect('wren');
    const defaults = '/api/admin/aspects/WREN/credential-defaults';
    await put('tickets', { kind: 'jira', bundle: jira, allowed_aspects: ['wren'] });
    await put('main', provider);
    const none = {
      default_anthropic_credential: '',
      default_openai_credential: '',
      default_jira_credential: '',
      default_imap_credential: '',
    };
    assert.deepEqual(await operator('GET', defaults), { status: 200, body: none });
    const wished = { default_jira_credential: 'tickets', default_anthropic_credential: 'main' };
    assert.deepEqual(await operator('PUT', defaults, wished), {
      status: 200,
      body: { ...none, ...wished },
    });
    assert.equal((await wren.request('credential.fetch', { kind: 'jira' }))['name'], 'tickets');
    assert.equal(await wren.refused('credential.fetch', { kind: 'imap' }), 'not_found');

    const refusals: [object | string, number, RegExp][] = [
      [
        { default_jira_credential: '', default_openai_credential: 'main' },
        400,
        /_openai_.*anthropic/,
      ],
      [{ default_jira_credential: '', default_imap_credential: 'x' }, 400, /_imap_.*not found: x/],
      [{ default_jira_credential: 7 }, 400, /default_jira_credential must be string/],
      [{ default_ssh_credential: 'x' }, 400, /default_ssh_credential/],
      [{ default_jira_credential: 'x'.repeat(17_000) }, 413, /16384/],
      ['{', 400, /JSON/],
    ];
    for (const [body, status, says] of refusals) {
      const answer = await operator('PUT', defaults, body);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.match(String(answer.body['error']), says);
    }
    assert.deepEqual((await operator('GET', defaults)).body, { ...none, ...wished }, 'all or none');
    const cleared = { default_jira_credential: '', default_imap_credential: null };
    await operator('PUT', defaults, cleared);
    assert.equal(await wren.refused('credential.fetch', { kind: 'jira' }), 'not_found');
    const unknown = await operator('GET', '/api/admin/aspects/nobody/credential-defaults');
    assert.deepEqual(unknown, { status: 404, body: { error: 'unknown aspect' } });
  });

  test('survives a restart of the broker, and a change of the key', async (t) => {
    const { nexus, put, operator } = await withVault(t);
    await put('tickets', { kind: 'jira', bundle: jira, allowed_aspects: ['*'] });
    const ask = { kind: 'jira', name: 'tickets' };
    const rotated = await operator('POST', '/api/admin/vault/rotate-key');
    assert.deepEqual(
      { ...rotated.body, key_id: '' },
      { key_id: '', credentials: 1, old_key_removed: true },
    );
    await nexus.close();
    const again = await startNexus(t, { dataDir: nexus.dataDir });
    const wren = await again.aspect('wren');
    assert.deepEqual((await wren.request('credential.fetch', ask))['bundle'], jira);
    const { body } = await operatorCall(again)('GET', at('tickets'));
    assert.equal(body['key_id'], rotated.body['key_id']);
  });

  test('fails as our failure when the key is not here, and the list says so', async (t) => {
    const { nexus, put } = await withVault(t, { vaultKeys: 'ab'.repeat(32) });
    await put('tickets', { kind: 'jira', bundle: jira, allowed_aspects: ['*'] });
    await nexus.close();
    const again = await startNexus(t, { dataDir: nexus.dataDir });
    const wren = await again.aspect('wren');
    const answer = await wren.ask('credential.fetch', { kind: 'jira', name: 'tickets' });
    assert.deepEqual(answer.payload, { error: 'internal error', code: 'internal' });
    const operator = operatorCall(again);
    assert.equal((await operator('GET', at('tickets'))).body['locked'], true);
    assert.equal((await operator('POST', '/api/admin/vault/rotate-key')).status, 409);
  });
});

suite('an MCP profile over REST', () => {
  test('is kept as it was sent, up to 256 KiB', async (t) => {
    const { nexus, operator } = await withVault(t, { frameName: 'keel' });
    await nexus.token('wren');
    const path = '/api/admin/aspects/wren/mcp_profile';
    const empty = { status: 200, body: { aspect: 'wren', profile: '' } };
    assert.deepEqual(await operator('GET', path), empty);
    const sent = `{ "mcpServers": {"jira": {"env": {"TOKEN": "\${credential:tickets.key}"}}}, "n": 1.0 }`;
    const stored = { status: 200, body: { aspect: 'wren', profile: sent } };
    assert.deepEqual(await operator('PUT', path, sent), stored);
    assert.deepEqual(await operator('GET', path.replace('wren', 'Wren')), stored);
    const large = JSON.stringify({ more: 'x'.repeat(256 * 1024 - 11) });
    assert.equal((await operator('PUT', path, large)).status, 200);
    assert.equal((await operator('PUT', path, `${large} `)).status, 413);
    for (const bad of ['', '{', `["\${credential:tickets}"]`]) {
      assert.equal((await operator('PUT', path, bad)).status, 400, bad);
    }
    assert.equal((await operator('PUT', path.replace('wren', 'nobody'), '{}')).status, 404);
    assert.equal((await operator('PUT', path.replace('wren', 'keel'), '{}')).status, 200);
  });
});
