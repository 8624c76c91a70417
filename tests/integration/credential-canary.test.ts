import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { migrations } from '#nexus/app/broker';
import { AuditJournal } from '#nexus/audit/audit-journal';
import { exportJournal } from '#nexus/audit/export-file';
import { openToRead } from '#nexus/storage/database';
import { KeyFile } from '#nexus/vault/keys/key-file';
import { openLogFile } from '#shared/sys/pino-log';
import { type Outcome, runNexus } from './nexus-command.ts';
import { operatorCall, restCaller } from './rest-caller.ts';
import { startNexus } from './start-nexus.ts';

/** Secrets that occur nowhere else, with what tempts an encoder. */
const canaries = {
  rest: 'canary-rest-"q\\b\n4f1d',
  legacy: 'canary-legacy-9a2c',
  cli: 'canary-cli-7e30 é',
  renewed: 'canary-renewed-51bb',
  refused: 'canary-refused-c08e',
  nested: 'canary-nested-d1f7',
  argv: 'canary-argv-6b55',
};

/** How a text may have been written down. */
const spellings = (text: string): string[] => [
  text,
  JSON.stringify(text).slice(1, -1),
  encodeURIComponent(text),
  Buffer.from(text).toString('base64').replace(/=+$/, ''),
  Buffer.from(text).toString('hex'),
];

function assertFreeOf(text: string, where: string): void {
  for (const [name, canary] of Object.entries(canaries)) {
    for (const spelling of spellings(canary)) {
      assert.ok(!text.includes(spelling), `${where} has the ${name} canary`);
    }
  }
}

/** Every file below a folder, as bytes that can be searched. */
function filesBelow(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path, readFileSync(path, 'latin1')]);
}

async function withLog(t: TestContext) {
  const logFile = (dataDir: { file(name: string): string }) => dataDir.file('logs/broker.log');
  const nexus = await startNexus(t, {
    openLog: (dataDir, redact) => openLogFile('debug', logFile(dataDir), redact),
  });
  const answers: unknown[] = [];
  const call = operatorCall(nexus);
  const operator: typeof call = async (...args) => {
    const answer = await call(...args);
    answers.push(answer);
    return answer;
  };
  const outcomes: Outcome[] = [];
  const credential = async (args: readonly string[], input = '') => {
    const all = ['credential', ...args, '--data-dir', nexus.dataDir];
    const outcome = await runNexus(t, all, { input });
    outcomes.push(outcome);
    return outcome;
  };
  const log = () => readFileSync(join(nexus.dataDir, 'logs', 'broker.log'), 'utf8');
  return { nexus, operator, credential, answers, outcomes, log };
}

suite('secrets', () => {
  test('are stored, fetched, refused and rotated without a trace in the clear', async (t) => {
    const { nexus, operator, credential, answers, outcomes, log } = await withLog(t);
    const at = (name: string) => `/api/admin/credentials/${name}`;
    const allowed = { allowed_aspects: ['wren'], mode: 'fetch' };
    const jira = { atlassian_email: 'w@t.test', atlassian_subdomain: 't' };
    const imap = { host: 'h', user: 'u' };

    const bundle = { ...jira, atlassian_token: canaries.rest, more: [{ deep: canaries.nested }] };
    assert.equal(
      (await operator('PUT', at('rest'), { kind: 'jira', bundle, ...allowed })).status,
      200,
    );
    const legacy = { api_shape: 'openai', base_url: 'https://x.test', key: canaries.legacy };
    assert.equal((await operator('PUT', at('legacy'), { ...legacy, ...allowed })).status, 200);
    const mail = JSON.stringify({ ...imap, password: canaries.cli });
    const stored = await credential(['set', 'cli', '--kind', 'imap', '--allow', 'wren'], mail);
    assert.equal(stored.code, 0, stored.stderr);
    const again = JSON.stringify({ ...imap, password: canaries.renewed });
    await credential(['--file', '-', 'set', 'cli', '--json'], again);

    const { refused } = canaries;
    for (const body of [
      `{"key":"${refused}"`,
      { kind: refused },
      { kind: 'imap', bundle: { ...imap, password: refused, port: refused } },
      { kind: 'imap', bundle: { password: refused } },
      { kind: 'imap', bundle: refused },
      { ...legacy, key: refused, mode: refused },
    ]) {
      assert.equal((await operator('PUT', at('refused'), body)).status, 400);
    }
    const { argv } = canaries;
    for (const [args, input] of [
      [['set', 'x', '--kind', 'imap'], refused],
      [['set', 'x', '--kind', 'imap'], JSON.stringify({ password: refused })],
      [['set', 'x', '--kind', 'imap', '--bundle', argv], ''],
      [['set', 'x', argv], ''],
    ] as const) {
      assert.notEqual((await credential(args, input)).code, 0);
    }
    for (const args of [['list'], ['get', 'cli'], ['list', '--json'], ['audit', 'rest']]) {
      assert.equal((await credential(args)).code, 0);
    }

    const wren = await nexus.aspect('wren');
    const anvil = await nexus.aspect('anvil');
    const fetchAs = (who: typeof wren, kind: string, name: string) =>
      who.ask('credential.fetch', { kind, name });
    const given = await fetchAs(wren, 'jira', 'rest');
    assert.deepEqual(given.payload?.['bundle'], bundle);
    assert.throws(() => assertFreeOf(JSON.stringify(given), 'what it is given'));
    const fetched = await fetchAs(wren, 'imap', 'cli');
    assert.deepEqual(fetched.payload?.['bundle'], { ...imap, password: canaries.renewed });
    for (const who of [wren, anvil]) answers.push(await fetchAs(who, 'imap', 'rest'));
    answers.push(await fetchAs(anvil, 'jira', 'rest'));
    const asWren = restCaller(nexus, await nexus.token('wren'));
    answers.push(await asWren('PUT', at('rest'), { kind: 'jira', bundle }));
    const profile = JSON.stringify({ env: { A: `\${credential:rest.atlassian_token}` } });
    await operator('PUT', '/api/admin/aspects/wren/mcp_profile', profile);
    await operator('POST', '/api/admin/vault/rotate-key');
    await operator('DELETE', at('legacy'));

    // Whatever somebody logs by mistake is cut out, wherever it stands in the line.
    const { rest, nested, renewed } = canaries;
    nexus.broker.log.error(
      { err: new Error(`401 for ${rest}`), url: `https://x/?k=${renewed}` },
      nested,
    );
    nexus.broker.log.debug({ deep: { body: JSON.stringify({ rest }) } }, 'a body');
    assert.match(log(), /401 for \[secret\]/);
    assert.equal(log().match(/\[secret\]/g)?.length, 5, 'the error twice: message and stack');
    for (const line of log().trim().split('\n')) JSON.parse(line);

    const db = openToRead(join(nexus.dataDir, 'nexus.db'), migrations);
    const journal = new AuditJournal(db);
    assertFreeOf([...journal.events()].map(({ body }) => body).join('\n'), 'the journal');
    for (const [path, text] of filesBelow(nexus.dataDir)) assertFreeOf(text, path);
    await nexus.close();
    const exported = join(nexus.dataDir, 'export.jsonl');
    assert.ok((await exportJournal(journal, exported)) > 5);
    db.close();
    for (const [path, text] of filesBelow(nexus.dataDir)) {
      assertFreeOf(text, path);
      if (path.endsWith('vault.key')) continue;
      const [key] = new KeyFile(join(nexus.dataDir, 'vault.key')).read();
      assert.ok(key && !text.includes(key.bytes.toString('hex')), `${path} has the key`);
      assert.ok(!text.includes(key.bytes.toString('latin1')), `${path} has the key`);
    }
    assertFreeOf(JSON.stringify(answers), 'an answer');
    for (const { stdout, stderr } of outcomes) assertFreeOf(stdout + stderr, 'a command');
  });
});
