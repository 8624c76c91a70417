import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { runNexus } from '../integration/nexus-command.ts';
import { startNexus, temporaryFolder } from '../integration/start-nexus.ts';

const provider = { api_shape: 'anthropic', base_url: 'https://api.test', key: 'sk-1' };

/** A broker, and `nexus credential` on it. */
async function withCommand(t: TestContext) {
  const nexus = await startNexus(t);
  const run = (args: readonly string[], input = '') =>
    runNexus(t, [...args, '--data-dir', nexus.dataDir], { input });
  const credential = (args: readonly string[], input = '') => run(['credential', ...args], input);
  const json = async (args: readonly string[], input = '') => {
    const { code, stdout, stderr } = await credential([...args, '--json'], input);
    assert.equal(code, 0, stderr);
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { nexus, run, credential, json };
}

suite('nexus credential', () => {
  test('sets, shows, lists, audits and deletes, in either order of words', async (t) => {
    const { nexus, credential, json } = await withCommand(t);
    const file = join(temporaryFolder(t), 'bundle.json');
    writeFileSync(file, JSON.stringify(provider));
    const first = await credential(['set', 'main', '--kind', 'provider', '--file', file]);
    assert.match(first.stdout, /^name +main$/m);
    assert.match(first.stdout, /^allowed +nobody$/m);
    assert.match(first.stdout, /nobody may have it yet/);
    const [changed] = await json(['--allow', 'wren, anvil', '--mode', 'both', 'set', 'main']);
    assert.deepEqual(changed?.['allowed_aspects'], ['wren', 'anvil']);
    await json(['set', '--kind', 'imap', 'mail'], '{"host":"h","user":"u","password":"p"}');

    const wren = await nexus.aspect('wren');
    const { bundle } = await wren.request('credential.fetch', { kind: 'provider', name: 'main' });
    assert.deepEqual(bundle, provider, 'the bundle is what it was');
    const names = (rows: Record<string, unknown>[]) => rows.map(({ name }) => name);
    assert.deepEqual(names(await json(['list'])), ['mail', 'main']);
    assert.deepEqual(names(await json(['list', '--kind', 'imap'])), ['mail']);
    const table = (await credential(['list'])).stdout;
    assert.match(table, /^NAME +KIND +MODE/);
    assert.match(table, /^main +provider +both +wren, anvil +\d{4}-/m);
    assert.equal((await json(['get', 'main']))[0]?.['mode'], 'both');

    await wren.refused('credential.fetch', { kind: 'imap', name: 'main' });
    const audit = await json(['audit', '--limit', '1', 'main']);
    assert.deepEqual(
      audit.map(({ action }) => action),
      ['denied'],
    );
    const rows = (await credential(['audit', 'main'])).stdout;
    assert.match(rows, /wren +denied +\{.*"reason":"other_kind"/);
    assert.deepEqual(await json(['delete', 'mail']), [{ deleted: 'mail' }]);
    const gone = await credential(['get', 'mail']);
    assert.deepEqual([gone.code, gone.stderr], [1, 'nexus: credential not found\n']);
  });

  test('gives an aspect its defaults, and takes them away', async (t) => {
    const { nexus, credential, json } = await withCommand(t);
    await nexus.token('wren');
    await json(['set', 'main', '--kind', 'provider'], JSON.stringify(provider));
    const unset = 'default_anthropic_credential  (none)';
    assert.ok((await credential(['aspect-default', 'wren'])).stdout.startsWith(unset));
    const [set] = await json(['--anthropic', 'main', 'aspect-default', 'wren']);
    assert.equal(set?.['default_anthropic_credential'], 'main');
    const [kept] = await json(['aspect-default', 'wren', '--imap', '']);
    assert.equal(kept?.['default_anthropic_credential'], 'main');
    const [cleared] = await json(['aspect-default', '--anthropic=', 'wren']);
    assert.equal(cleared?.['default_anthropic_credential'], '');
    const wrong = await credential(['aspect-default', 'wren', '--jira', 'main']);
    assert.deepEqual([wrong.code, wrong.stderr.includes('default_jira_credential')], [1, true]);
  });

  test('takes no bundle from the command line', async (t) => {
    const { credential } = await withCommand(t);
    const secret = 'sk-on-argv';
    for (const words of [
      ['set', 'main', '--bundle', secret],
      ['set', 'main', `--bundle=${secret}`],
      ['set', 'main', secret],
      ['set', 'main', 'more', secret],
      ['list', secret],
      ['set', 'main', '--key', secret],
    ]) {
      const { code, stderr } = await credential([...words, '--kind', 'provider']);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^nexus: [^\n]+\n$/);
      assert.ok(!stderr.includes(secret));
      if (words.join().includes('bundle')) assert.match(stderr, /standard input or --file/);
    }
  });

  test('changes the key', async (t) => {
    const { nexus, credential, json } = await withCommand(t);
    await json(['set', 'main', '--kind', 'provider'], JSON.stringify(provider));
    const key = readFileSync(join(nexus.dataDir, 'vault.key'), 'utf8');
    const { stdout } = await credential(['rotate-key']);
    assert.match(stdout, /^1 credentials are sealed with the new key [0-9a-f]{16}\n$/);
    assert.notEqual(readFileSync(join(nexus.dataDir, 'vault.key'), 'utf8'), key);
  });
});

suite('the key of the vault', () => {
  test('stays out of a backup unless it is asked for', async (t) => {
    const { nexus, run, json } = await withCommand(t);
    await json(
      ['set', 'main', '--kind', 'provider', '--allow', '*', '--mode', 'fetch'],
      JSON.stringify(provider),
    );
    const folder = temporaryFolder(t);
    const without = await run(['backup', '--out', join(folder, 'without')]);
    assert.match(without.stdout, /open only with .*vault\.key/);
    const whole = await run(['backup', '--out', join(folder, 'with'), '--with-keys']);
    assert.doesNotMatch(whole.stdout, /open only with/);
    const key = readFileSync(join(nexus.dataDir, 'vault.key'), 'utf8');
    assert.ok(!existsSync(join(folder, 'without', 'vault.key')));
    assert.equal(readFileSync(join(folder, 'with', 'vault.key'), 'utf8'), key);
    await nexus.close();

    for (const [from, opens] of [
      ['without', false],
      ['with', true],
    ] as const) {
      const dataDir = join(folder, `restored ${from}`);
      const restored = await runNexus(t, ['restore', join(folder, from), '--data-dir', dataDir]);
      assert.equal(restored.code, 0, restored.stderr);
      const again = await startNexus(t, { dataDir });
      const wren = await again.aspect('wren');
      const { kind } = await wren.ask('credential.fetch', { kind: 'provider', name: 'main' });
      assert.equal(kind, opens ? 'credential.fetch.result' : 'credential.fetch.error');
      await again.close();
    }
  });

  test('that is none refuses the start, without a word of it', async (t) => {
    const dataDir = temporaryFolder(t);
    writeFileSync(join(dataDir, 'vault.key'), 'hunter2\n');
    const serve = ['serve', '--addr', '127.0.0.1:0', '--data-dir', dataDir];
    const { code, stderr } = await runNexus(t, serve);
    assert.equal(code, 2);
    assert.match(stderr, /^nexus: .*vault\.key holds something that is not 64 hex digits\n$/);
  });
});
