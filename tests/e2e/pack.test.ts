import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { nexus, Place, Run, repository, up } from './nexus-process.ts';

const version = (node: string): number[] =>
  execFileSync(node, ['--version'], { encoding: 'utf8' }).slice(1).split('.').map(Number);

/** A Node on the PATH that is too old for us; the one in our own node_modules is not. */
function findOldNode(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .map((folder) => join(folder, 'node'))
    .find((node) => existsSync(node) && (version(node)[0] ?? 99) < 22);
}

function npm(cwd: string, ...args: string[]): void {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const { status, stdout, stderr } = spawnSync('npm', [...args, ...quiet], {
    cwd,
    encoding: 'utf8',
  });
  assert.equal(status, 0, `npm ${args.join(' ')}: ${stdout}${stderr}`);
}

/** Empty when npm can reach its registry, else why not. */
function whyNoRegistry(): string | undefined {
  const { status } = spawnSync('npm', ['ping', '--fetch-retries=0', '--fetch-timeout=15000'], {
    stdio: 'ignore',
  });
  return status === 0 ? undefined : 'npm cannot reach its registry';
}

/** The package, made from a copy: building replaces `dist`, which others may be using. */
function pack(folder: string): string {
  const copy = join(folder, 'source');
  mkdirSync(copy);
  const parts = ['shared', 'nexus', 'runtime', 'agents', 'docs', 'scripts', 'package.json'];
  const more = readdirSync(repository).filter((name) => /^(tsconfig.*\.json|.*\.md)$/.test(name));
  for (const part of [...parts, ...more]) {
    cpSync(join(repository, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'));
  npm(copy, 'pack', '--pack-destination', folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  assert.ok(tarball);
  return join(folder, tarball);
}

suite('the package', { skip: whyNoRegistry() ?? false }, () => {
  let folder: string;
  let installed: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'nexus-pack-'));
    const tarball = pack(folder);
    installed = join(folder, 'installed');
    mkdirSync(installed);
    writeFileSync(join(installed, 'package.json'), '{"private": true}');
    npm(installed, 'install', tarball);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const bin = () => join(installed, 'node_modules', '.bin', 'nexus');

  test('holds what it needs and neither tests nor what an aspect wrote', () => {
    const root = join(installed, 'node_modules', 'nexus-agents');
    const files = readdirSync(root, { recursive: true }).map(String);
    assert.ok(files.includes(join('agents', 'wren', 'NEXUS.md')));
    const unwanted = files.filter((file) =>
      /\.test\.|(^|\/)(session|cursor\.json|tests)(\/|$)/.test(
        file.replace(/^dist\/runtime\/session/, ''),
      ),
    );
    assert.deepEqual(unwanted, []);
  });

  test('runs in an empty folder: version, a sample team, an answer', async (t) => {
    const place = new Place(t, { empty: true });
    const program = [process.execPath, bin()];
    const { stdout, code } = await nexus(place, ['--version'], { program });
    assert.deepEqual(
      { stdout: stdout.trim(), code },
      { stdout: packageVersion(installed), code: 0 },
    );

    const team = await up(place, [], { program });
    const note = team.events().find(({ event }) => event === 'note');
    assert.match(String(note?.['text']), /created .*agents with a sample team/);
    assert.deepEqual(readdirSync(place.file('agents')).sort(), ['anvil', 'keel', 'wren']);
    const asked = await nexus(place, ['chat', '@wren what do you think of BUILD.md?'], { program });
    assert.deepEqual({ code: asked.code, stderr: asked.stderr }, { code: 0, stderr: '' });
    assert.match(asked.stdout, /^wren \d+→\d+/);
    team.child.kill('SIGINT');
    assert.equal((await team.ended).code, 0);
  });

  test('says how to get uWebSockets.js when it is asked for, and does without it', async (t) => {
    const place = new Place(t, { empty: true });
    const program = [process.execPath, bin()];
    const serve = ['serve', '--json', '--addr', '127.0.0.1:0', '--transport'];
    const { code, stderr } = await nexus(place, [...serve, 'uws'], { program });
    assert.equal(code, 2);
    assert.match(stderr, /^nexus: .*uWebSockets\.js is not installed; run npm install [^\n]+\n$/);
    const run = new Run(place, [...serve, 'auto'], { program });
    await run.event('ready');
    await run.kill();
  });

  const old = findOldNode();
  test('says what it needs on an older Node', {
    skip: old ? false : 'none on the PATH',
  }, async (t) => {
    const place = new Place(t, { empty: true });
    const program = [old ?? '', bin()];
    const { code, stdout, stderr } = await nexus(place, ['up'], { program });
    assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
    assert.match(stderr, /^nexus needs Node 22\.18 or newer and this is v\d[^\n]*\n$/);
    assert.deepEqual(readdirSync(place.folder), []);
  });
});

function packageVersion(folder: string): string {
  const list = execFileSync('npm', ['ls', 'nexus-agents', '--json'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const { dependencies } = JSON.parse(list) as {
    dependencies: Record<string, { version: string }>;
  };
  return dependencies['nexus-agents']?.version ?? '';
}
