import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import type { CredentialAsk } from '../../credentials/credential-source.ts';
import { full, jira, provider, vaultOn } from '../test-kit.ts';

const ask: CredentialAsk = {
  aspect: 'wren',
  kind: 'jira',
  name: 'tickets',
  connection: 3,
  identity: 'wren',
};

/** A vault with a credential that wren may have, and one of each reason why it may not. */
async function stocked(t: TestContext) {
  const kit = vaultOn(t);
  const open = await kit.start();
  const set = (name: string, more: object) =>
    open.vault.set({ name, kind: 'jira', bundle: jira, ...more }, 'operator');
  await set('tickets', { allowedAspects: ['wren'] });
  await set('others', { allowedAspects: ['anvil'] });
  await set('proxied', { allowedAspects: ['*'], mode: 'proxy' });
  await set('main', { kind: 'provider', bundle: provider, allowedAspects: ['*'], mode: 'fetch' });
  const audit = (name: string) =>
    kit.store.audit(name, 10).map(({ aspect, action, details }) => ({ aspect, action, details }));
  return { ...kit, ...open, audit };
}

/** Why an audit row says no. */
function reasonOf(row: { details: unknown } | undefined): unknown {
  const { details } = row ?? {};
  return typeof details === 'object' && details && 'reason' in details && details.reason;
}

suite('asking for a credential', () => {
  test('gives it, and records who asked, how, and when it was used last', async (t) => {
    const { access, store, audit, clock } = await stocked(t);
    clock.advance(2_000);
    const given = { name: 'tickets', kind: 'jira', bundle: jira };
    assert.deepEqual(await access.fetch(ask), given);
    assert.deepEqual(await access.fetch({ ...ask, identity: 'keel' }), given);
    const details = { via: 'credential.fetch', kind: 'jira', connection: 3 };
    assert.deepEqual(audit('tickets'), [
      { aspect: 'wren', action: 'fetch', details: { ...details, identity: 'keel' } },
      { aspect: 'wren', action: 'fetch', details },
    ]);
    assert.equal(store.find('tickets')?.lastUsedAt, '2026-05-01T00:00:02.000Z');
  });

  test('tells an aspect on the list why not, and nobody else', async (t) => {
    const { access, audit } = await stocked(t);
    for (const name of ['nowhere', 'others']) {
      assert.equal(await access.fetch({ ...ask, name }), undefined);
    }
    assert.equal(await access.fetch({ ...ask, aspect: 'keel' }), undefined);
    await assert.rejects(access.fetch({ ...ask, name: 'main' }), {
      code: 'bad_request',
      message: 'credential "main" is of kind provider, not jira',
    });
    await assert.rejects(access.fetch({ ...ask, name: 'proxied' }), {
      code: 'forbidden',
      message: 'credential mode forbids fetch (mode=proxy)',
    });
    const reasons = ['nowhere', 'others', 'tickets', 'main', 'proxied'].map((name) =>
      audit(name).map((row) => [row.action, reasonOf(row)]),
    );
    assert.deepEqual(reasons, [
      [['denied', 'unknown']],
      [['denied', 'not_allowed']],
      [['denied', 'not_allowed']],
      [['denied', 'other_kind']],
      [['denied', 'proxy_only']],
    ]);
  });

  test('without a name gives the default, under the same rules', async (t) => {
    const { access, defaults, vault, audit } = await stocked(t);
    const unnamed = { ...ask, name: undefined };
    assert.equal(await access.fetch(unnamed), undefined);
    await assert.rejects(access.fetch({ ...unnamed, kind: 'provider' }), { code: 'bad_request' });
    const details = { via: 'credential.fetch', kind: 'jira', connection: 3, default_for: 'jira' };
    assert.deepEqual(audit('')[1]?.details, { ...details, reason: 'no_default' });

    await defaults.set('Wren', { jira: 'tickets' }, 'operator');
    assert.equal((await access.fetch(unnamed))?.name, 'tickets');
    assert.deepEqual(audit('tickets')[0]?.details, details);
    await defaults.set('wren', { jira: 'others' }, 'operator');
    assert.equal(await access.fetch(unnamed), undefined);
    await defaults.set('wren', { jira: 'proxied' }, 'operator');
    await assert.rejects(access.fetch(unnamed), { code: 'forbidden' });
    await vault.set({ name: 'tickets', kind: 'provider', bundle: provider }, 'operator');
    await vault.delete('proxied', 'operator');
    assert.equal(await access.fetch(unnamed), undefined);
    assert.equal(defaults.of('wren').jira, '', 'gone with the credential');
  });

  test('gives nothing when that cannot be recorded, and does not even refuse', async (t) => {
    const kit = await stocked(t);
    const { access, profiles } = await kit.start({ journal: full(kit.journal) });
    for (const name of ['tickets', 'nowhere', 'others', 'proxied']) {
      await assert.rejects(access.fetch({ ...ask, name }), { code: 'journal.full' });
    }
    await kit.profiles.set('wren', `{"a":"\${credential:tickets.atlassian_token}"}`, 'operator');
    await assert.rejects(profiles.resolve('wren'), { code: 'journal.full' });
  });

  test('records what cannot be opened', async (t) => {
    const { access, database, audit } = await stocked(t);
    database.writer.exec(`UPDATE credentials SET encryption_nonce = zeroblob(12)`);
    await assert.rejects(access.fetch(ask), { code: 'vault.does_not_open' });
    assert.equal(reasonOf(audit('tickets')[0]), 'unreadable');
  });
});

suite('the environment of an aspect in this process', () => {
  test('has the keys of its default providers, whatever their mode', async (t) => {
    const { environment, defaults, vault, audit } = await stocked(t);
    assert.deepEqual(await environment.of('keel'), {});
    const claude = { api_shape: 'anthropic', base_url: 'https://claude.test', key: 'sk-claude-1' };
    const facts = { kind: 'provider', bundle: claude, allowedAspects: ['keel'] } as const;
    await vault.set({ name: 'claude', ...facts }, 'operator');
    await defaults.set('keel', { anthropic: 'claude', openai: 'main' }, 'operator');
    assert.deepEqual(await environment.of('keel'), {
      ANTHROPIC_API_KEY: 'sk-claude-1',
      ANTHROPIC_BASE_URL: 'https://claude.test',
      OPENAI_API_KEY: 'sk-main-1',
      OPENAI_BASE_URL: 'https://api.test',
    });
    const details = { via: 'provider_environment', kind: 'provider', default_for: 'anthropic' };
    assert.deepEqual(audit('claude'), [{ aspect: 'keel', action: 'fetch', details }]);
  });

  test('lacks what it may not have or what does not fit any more, and says so in the audit', async (t) => {
    const { environment, defaults, vault, audit } = await stocked(t);
    await defaults.set('keel', { openai: 'main' }, 'operator');
    const spoil: [object, string][] = [
      [{ allowedAspects: ['wren'] }, 'not_allowed'],
      [{ allowedAspects: ['*'], bundle: { ...provider, api_shape: 'anthropic' } }, 'other_kind'],
      [{ kind: 'jira', bundle: jira }, 'other_kind'],
    ];
    for (const [change, reason] of spoil) {
      await vault.set({ name: 'main', ...change }, 'operator');
      assert.deepEqual(await environment.of('keel'), {});
      assert.equal(reasonOf(audit('main')[0]), reason);
    }
  });
});

suite('the defaults of an aspect', () => {
  test('are set together or not at all, and fit their use', async (t) => {
    const { defaults } = await stocked(t);
    const none = { anthropic: '', openai: '', jira: '', imap: '' };
    const refusals: [object, RegExp][] = [
      [{ jira: 'tickets', imap: 'nowhere' }, /^default_imap_credential: credential not found: now/],
      [{ jira: 'tickets', imap: 'tickets' }, /^default_imap_credential: "tickets" is for jira$/],
      [
        { jira: 'tickets', anthropic: 'main' },
        /^default_anthropic_credential: "main" is for openai/,
      ],
    ];
    for (const [changes, message] of refusals) {
      await assert.rejects(defaults.set('wren', changes, 'operator'), {
        code: 'bad_request',
        message,
      });
      assert.deepEqual(defaults.of('wren'), none);
    }
    await defaults.set('wren', { jira: 'tickets', openai: 'main' }, 'operator');
    await defaults.set('wren', { openai: '' }, 'operator');
    assert.deepEqual(defaults.of('wren'), { ...none, jira: 'tickets' });
    assert.deepEqual(defaults.of('anvil'), none);
  });
});

suite('an MCP profile', () => {
  const of = (inside: string) => `\${credential:${inside}}`;

  test('is stored as it came, and handed out with its secrets in', async (t) => {
    const { profiles, audit } = await stocked(t);
    assert.equal(profiles.find('wren'), '');
    assert.equal(await profiles.resolve('wren'), '');
    const text = `{ "a": "${of('tickets.atlassian_token')} ${of('main.key')}", "b": "${of('main.key')}" }`;
    await profiles.set('wren', text, 'operator');
    assert.equal(profiles.find('wren'), text);
    assert.equal(
      await profiles.resolve('wren'),
      '{ "a": "jira-token-1 sk-main-1", "b": "sk-main-1" }',
    );
    const details = {
      via: 'mcp_profile_substitute',
      profile_aspect: 'wren',
      credential: 'main',
      field: 'key',
    };
    assert.deepEqual(audit('main'), [{ aspect: 'wren', action: 'fetch', details }], 'once');
  });

  test('comes whole or not at all; what stands in the way is recorded', async (t) => {
    const { profiles, audit, store } = await stocked(t);
    const refusals: [string, RegExp, string][] = [
      ['nowhere.key', /no credential "nowhere" is stored for wren$/, 'unknown'],
      ['others.atlassian_token', /no credential "others" is stored for wren$/, 'not_allowed'],
      [
        'proxied.atlassian_token',
        /"proxied" is not to be handed out \(mode=proxy\)$/,
        'proxy_only',
      ],
      ['main.port', /"main" has no text "port"$/, 'unknown_field'],
      ['main.toString', /"main" has no text "toString"$/, 'unknown_field'],
    ];
    for (const [inside, message, reason] of refusals) {
      const text = JSON.stringify([of('tickets.atlassian_token'), of(inside)]);
      await profiles.set('wren', text, 'operator');
      await assert.rejects(profiles.resolve('wren'), { code: 'not_found', message });
      const [name = ''] = inside.split('.');
      const [newest] = audit(name);
      assert.equal(newest?.action, 'denied');
      assert.equal(reasonOf(newest), reason);
    }
    assert.deepEqual(audit('tickets'), [], 'nothing was handed out');
    assert.equal(store.find('tickets')?.lastUsedAt, undefined);
  });

  test('is refused when it is no JSON, malformed, or too long', async (t) => {
    const { profiles, vault, audit } = await stocked(t);
    const set = (text: string) => profiles.set('wren', text, 'operator');
    await assert.rejects(set('{'), { code: 'bad_request' });
    await assert.rejects(set(JSON.stringify(of('main'))), { code: 'bad_request' });
    await set(JSON.stringify('x'.repeat(256 * 1024 - 2)));
    await assert.rejects(set(JSON.stringify('x'.repeat(256 * 1024 - 1))), { code: 'too_large' });
    const long = { ...provider, key: 'k'.repeat(50_000) };
    await vault.set({ name: 'main', bundle: long }, 'operator');
    await set(JSON.stringify(Array(22).fill(of('main.key'))));
    await assert.rejects(profiles.resolve('wren'), { code: 'too_large' });
    assert.equal(reasonOf(audit('main')[0]), 'too_large');
  });
});
