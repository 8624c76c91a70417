import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { restCaller } from '../integration/rest-caller.ts';
import { startNexus } from '../integration/start-nexus.ts';
import { type Outcome, Place, Run, nexus as runNexus, up } from './nexus-process.ts';

/** A broker that knows wren, and the commands against it. */
async function setUp(t: TestContext) {
  const broker = await startNexus(t);
  await broker.token('wren');
  const place = new Place(t, { empty: true });
  const operator = restCaller(broker, broker.operatorToken());
  const path = '/api/admin/aspect/wren/personality';
  const run = (args: readonly string[], env: Record<string, string> = {}, input = '') =>
    runNexus(place, [...args, '--data-dir', broker.dataDir], { env, input });
  const put = (body: object) => operator('PUT', path, body);
  const current = async () => {
    const { body } = await operator('GET', path);
    return [body['version'], body['nexus_md'], body['soul_md'], body['primer_md']];
  };
  /** A command for $EDITOR that does this with `text`, and notes where the file was. */
  const editor = (does: string) => {
    const script = place.file('editor.mjs');
    const seen = place.file('seen.json');
    writeFileSync(
      script,
      `import { readFileSync, statSync, writeFileSync } from 'node:fs';
       const file = process.argv[2];
       let text = readFileSync(file, 'utf8');
       const seen = { file, mode: statSync(file).mode & 0o777, text };
       writeFileSync(${JSON.stringify(seen)}, JSON.stringify(seen));
       ${does}
       writeFileSync(file, text);`,
    );
    return { EDITOR: `'${process.execPath}' '${script}'` };
  };
  const seen = () =>
    JSON.parse(readFileSync(place.file('seen.json'), 'utf8')) as {
      file: string;
      mode: number;
      text: string;
    };
  return { broker, place, operator, run, put, current, editor, seen };
}

const ended = ({ code, stdout }: Outcome) => [code, stdout];

suite('nexus personality', () => {
  test('edit saves what the editor leaves, in either order of the words', async (t) => {
    const { run, put, current, editor, seen } = await setUp(t);
    await put({ nexus_md: 'Review.', soul_md: 'Kind.' });
    const env = editor(`text = text.replace('Kind.', 'Exact.\\n\\n');`);
    const outcome = await run(['personality', 'edit', 'wren'], env);
    assert.deepEqual(ended(outcome), [0, 'wren: saved, version 2\n'], outcome.stderr);
    assert.deepEqual(await current(), [2, 'Review.', 'Exact.', '']);
    const { file, mode, text } = seen();
    assert.equal(mode, 0o600);
    assert.equal(statSync(dirname(dirname(file))).isDirectory(), true);
    assert.ok(!existsSync(dirname(file)), 'the file is taken away');
    assert.match(
      text,
      /^wren, version 1\..*\n\n# === NEXUS\.md ===\nReview\.\n\n# === SOUL\.md ===/,
    );

    const again = editor(`text += 'New here.';`);
    const turned = await run(['personality', '--json', 'Wren', 'edit'], again);
    const change = { aspect: 'wren', old_version: 2, new_version: 3 };
    assert.deepEqual([turned.code, JSON.parse(turned.stdout)], [0, change]);
    assert.deepEqual(await current(), [3, 'Review.', 'Exact.', 'New here.']);
  });

  test('edit sends nothing when nothing was changed, or the editor gives up', async (t) => {
    const { run, put, current, editor, seen } = await setUp(t);
    await put({ soul_md: 'Kind.\n' });
    const same = await run(['personality', 'edit', 'wren'], editor(`text += '\\n\\n';`));
    assert.deepEqual(ended(same), [0, 'wren: unchanged, version 1\n'], same.stderr);
    const given = await run(
      ['personality', 'edit', 'wren', '--editor', 'false'],
      editor(`text = text.replace('Kind.', 'Exact.');`),
    );
    assert.deepEqual(ended(given), [1, '']);
    assert.match(given.stderr, /^nexus: the editor \(false\) ended with 1; nothing was changed\n$/);
    const gaveUp = editor(`text = 'lost'; writeFileSync(file, text); process.exit(3);`);
    assert.equal((await run(['personality', 'edit', 'wren'], gaveUp)).code, 1);
    assert.ok(!existsSync(dirname(seen().file)));
    assert.deepEqual(await current(), [1, '', 'Kind.\n', '']);
  });

  test('edit keeps the text when a marker line is broken', async (t) => {
    const { run, current, editor, seen } = await setUp(t);
    const env = editor(`text = text.replace('# === SOUL.md ===', '# SOUL\\nKind.');`);
    const { code, stderr } = await run(['personality', 'edit', 'wren'], env);
    assert.equal(code, 1);
    const { file } = seen();
    t.after(() => rmSync(dirname(file), { recursive: true }));
    assert.match(
      stderr,
      /the marker lines must be there once each.*nothing was saved, your text is in /,
    );
    assert.ok(stderr.includes(file));
    assert.match(readFileSync(file, 'utf8'), /# SOUL\nKind\./);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual((await current())[0], 0);
  });

  test('edit keeps the text when somebody else was faster; set takes it', async (t) => {
    const { broker, run, put, current, editor, seen } = await setUp(t);
    await put({ soul_md: 'Kind.' });
    const url = `${broker.url}/api/admin/aspect/wren/personality`;
    const env = editor(
      `text = text.replace('Kind.', 'Mine.');
       const headers = { authorization: 'Bearer ${broker.operatorToken()}' };
       const body = JSON.stringify({ soul_md: 'Theirs.' });
       await fetch(${JSON.stringify(url)}, { method: 'PUT', headers, body });`,
    );
    const { code, stderr } = await run(['personality', 'edit', 'wren'], env);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /wren is at version 2, not 1; read it again; nothing was saved, your text/,
    );
    assert.deepEqual(await current(), [2, '', 'Theirs.', '']);
    const { file } = seen();
    t.after(() => rmSync(dirname(file), { recursive: true }));
    const late = ['personality', 'set', 'wren', '--file', file];
    assert.equal((await run([...late, '--if-version', '1'])).code, 1);
    assert.deepEqual(ended(await run(late)), [0, 'wren: saved, version 3\n']);
    assert.deepEqual(await current(), [3, '', 'Mine.', '']);
  });

  test('show and set speak files, standard input and JSON', async (t) => {
    const { place, run, current } = await setUp(t);
    writeFileSync(place.file('soul.md'), 'Kind.\n');
    const set = await run(['personality', 'set', 'wren', '--soul-md', 'soul.md']);
    assert.deepEqual(ended(set), [0, 'wren: saved, version 1\n'], set.stderr);
    const primer = ['personality', 'wren', 'set', '--primer-md', '-'];
    assert.equal((await run(primer, {}, 'New here.\n')).code, 0);
    assert.deepEqual(await current(), [2, '', 'Kind.', 'New here.']);
    const shown = await run(['personality', 'show', 'wren']);
    const form =
      '# === NEXUS.md ===\n\n# === SOUL.md ===\nKind.\n\n# === PRIMER.md ===\nNew here.\n';
    assert.equal(shown.stdout, form);
    const before = await run(['personality', 'show', 'wren', '--json', '--at', '1']);
    const { version, composed } = JSON.parse(before.stdout) as Record<string, unknown>;
    assert.deepEqual([version, composed], [1, 'Kind.']);
    for (const [args, code, says] of [
      [['show', 'nobody'], 1, /unknown aspect/],
      [['show', 'wren', '--at', '9'], 1, /version 9 of wren is not kept/],
      [['show'], 2, /personality show needs the name of an aspect/],
      [['burn', 'wren'], 2, /personality edit\|show\|set\|import NAME/],
      [['set', 'wren'], 2, /set needs --file/],
      [['set', 'wren', '--file', 'nowhere.md'], 1, /cannot read nowhere\.md/],
    ] as const) {
      const outcome = await run(['personality', ...args]);
      assert.equal(outcome.code, code, outcome.stderr);
      assert.match(outcome.stderr, says);
    }
  });

  test('import gives the broker what is in the homes, once', async (t) => {
    const { broker, place, run, put, current } = await setUp(t);
    await broker.token('anvil');
    for (const name of ['wren', 'anvil', 'stranger', 'bare']) {
      place.writeAspect(name, { name, context_mode: 'thread' });
      if (name !== 'bare')
        writeFileSync(join(place.file('agents', name), 'SOUL.md'), `I am ${name}.\n`);
    }
    writeFileSync(place.file('agents', 'wren', 'CLAUDE.md'), 'Review.\n');
    await put({ soul_md: 'Kind.' });
    const importing = async (...flags: string[]) => {
      const { code, stdout } = await run(['personality', 'import', ...flags]);
      return [code, ...stdout.trim().split('\n')];
    };
    const stranger = 'stranger: refused: unknown aspect';
    const bare = 'bare: empty, version 0';
    const dry = [1, 'anvil: would import, version 0', bare, stranger, 'wren: kept, version 1'];
    assert.deepEqual(await importing('--dry-run'), dry);
    const real = [1, 'anvil: imported, version 1', bare, stranger, 'wren: kept, version 1'];
    assert.deepEqual(await importing(), real);
    assert.deepEqual(await current(), [1, '', 'Kind.', '']);
    assert.deepEqual(await importing('wren', '--overwrite'), [0, 'wren: imported, version 2']);
    assert.deepEqual(await current(), [2, 'Review.', 'I am wren.', '']);
    const home = ['--aspect-dir', 'agents/wren'];
    assert.deepEqual(await importing(...home, '--overwrite'), [0, 'wren: unchanged, version 2']);
    assert.deepEqual(await importing('--aspect-dir', 'nowhere'), [1, '']);
  });
});

suite('nexus admin', () => {
  test('nexus-md is edited, shown and set', async (t) => {
    const { run, editor } = await setUp(t);
    const saved = await run(['admin', 'nexus-md', 'edit'], editor(`text = 'All of us.\\n';`));
    assert.deepEqual(ended(saved), [0, 'nexus-md: saved, version 1\n'], saved.stderr);
    const same = await run(['admin', 'edit', 'nexus-md'], editor(''));
    assert.deepEqual(ended(same), [0, 'nexus-md: unchanged, version 1\n']);
    const set = ['admin', 'nexus-md', 'set', '--file', '-', '--json'];
    const { stdout } = await run(set, {}, 'All.\n');
    assert.deepEqual(JSON.parse(stdout), { old_version: 1, new_version: 2 });
    assert.equal((await run(['admin', 'nexus-md', 'show'])).stdout, 'All.\n');
    assert.equal((await run(['admin', 'show', 'nexus-md', '--at', '1'])).stdout, 'All of us.\n');
    for (const args of [['nexus-md'], ['op'], ['shutdown', 'now'], ['frob']]) {
      const { code, stderr } = await run(['admin', ...args]);
      assert.equal(code, 2);
      assert.match(stderr, /admin nexus-md edit\|show\|set, admin shutdown, admin op ID/);
    }
    assert.match((await run(['admin', 'op', 'nothing'])).stderr, /op_not_found/);
  });

  test('shutdown ends a broker with exit code 0, and its record can be read until then', async (t) => {
    const place = new Place(t, { empty: true });
    const server = new Run(place, ['serve', '--json', '--addr', '127.0.0.1:0']);
    await server.event('ready');
    const stopping = await runNexus(place, ['admin', 'shutdown', '--json']);
    const { action, status } = JSON.parse(stopping.stdout) as Record<string, unknown>;
    assert.deepEqual([stopping.code, action, status], [0, 'shutdown', 'running']);
    const { code, signal } = await server.ended;
    assert.deepEqual([code, signal], [0, null]);
    assert.ok(place.isQuiet);
    const log = await runNexus(place, ['audit', 'list', '--kind', 'broker.', '--json']);
    assert.match(log.stdout, /broker\.shutdown_asked/);
  });

  test('shutdown ends a whole team, too', async (t) => {
    const place = new Place(t);
    const team = await up(place);
    assert.equal((await runNexus(place, ['admin', 'shutdown'])).code, 0);
    assert.deepEqual((await team.ended).code, 0);
    assert.ok(place.isQuiet);
  });
});
