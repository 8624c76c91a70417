import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { ProviderError } from '../provider.ts';
import { selectProvider } from '../select.ts';
import { findApiKey } from './key-file.ts';

/** Why the tests about file modes are skipped, or false. */
const noModes = process.platform === 'win32' && 'this system has no file modes';

suite('the key file of an aspect', () => {
  test('is optional', async (t) => {
    assert.equal(await findApiKey(await homeWith(t, {})), undefined);
    assert.equal(await findApiKey(join(tmpdir(), 'nexus-no-such-home')), undefined);
  });

  test('may have either name, the newer one first', async (t) => {
    const old = { 'claude-api.json': '{"api_key": "sk-old"}' };
    assert.equal(await findApiKey(await homeWith(t, old)), 'sk-old');
    const both = { ...old, 'anthropic.json': '{"api_key": " sk-new "}' };
    assert.equal(await findApiKey(await homeWith(t, both)), 'sk-new');
  });

  for (const mode of [0o640, 0o604, 0o620, 0o660]) {
    test(`is refused with mode ${mode.toString(8)}`, { skip: noModes }, async (t) => {
      const home = await homeWith(t, { 'anthropic.json': '{"api_key": "sk-secret"}' }, mode);
      await assert.rejects(findApiKey(home), refusal(/run: chmod 600 .*anthropic\.json/));
    });
  }

  for (const content of ['', 'sk-secret', '{"api_key": 7, "x": "sk-secret"}', '{"api_key": " "}']) {
    test(`is refused when it holds ${JSON.stringify(content)}, without quoting it`, async (t) => {
      const home = await homeWith(t, { 'anthropic.json': content });
      await assert.rejects(findApiKey(home), refusal(/must hold \{"api_key"/));
    });
  }

  test('makes auto choose Anthropic, or fail when it must not be used', async (t) => {
    const home = await homeWith(t, { 'anthropic.json': '{"api_key": "sk-home"}' });
    const { provider, reason } = await selectProvider({ env: {}, home });
    assert.equal(provider.name, 'anthropic');
    assert.equal(reason, 'the home holds an Anthropic key');

    await chmod(join(home, '.credentials', 'anthropic.json'), 0o644);
    await assert.rejects(selectProvider({ env: {}, home }), refusal(/chmod 600/));
  });
});

async function homeWith(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  mode = 0o600,
): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'nexus-key-'));
  t.after(() => rm(home, { recursive: true }));
  await mkdir(join(home, '.credentials'));
  for (const [name, content] of Object.entries(files)) {
    const path = join(home, '.credentials', name);
    await writeFile(path, content);
    await chmod(path, mode);
  }
  return home;
}

function refusal(message: RegExp): (thrown: unknown) => boolean {
  return (thrown) => {
    assert.ok(thrown instanceof ProviderError);
    assert.equal(thrown.code, 'auth');
    assert.match(thrown.message, message);
    assert.doesNotMatch(thrown.message, /sk-/, 'the key stays out of messages');
    return true;
  };
}
