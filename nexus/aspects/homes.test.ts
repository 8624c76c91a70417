import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { findTeam } from './homes.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'nexus-homes-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function addHome(root: string, directory: string, content: object): void {
  mkdirSync(join(root, directory));
  const text = JSON.stringify({ context_mode: 'thread', ...content });
  writeFileSync(join(root, directory, 'aspect.json'), text);
}

suite('findTeam', () => {
  test('finds the homes of all folders, by name, and sets the coordinator apart', (t) => {
    const [first, second] = [folder(t), folder(t)];
    addHome(first, 'a', { name: 'wren' });
    addHome(first, 'b', { name: 'keel', role: 'frame' });
    addHome(second, 'c', { name: 'anvil' });
    addHome(second, 'd', { name: 'sleeper', metadata: { auto_spawn: false } });
    mkdirSync(join(first, 'no-home'));
    writeFileSync(join(first, 'README.md'), 'not a folder');
    const { frame, aspects } = findTeam([first, second]);
    assert.equal(frame?.config.name, 'keel');
    assert.deepEqual(
      aspects.map(({ config }) => config.name),
      ['anvil', 'wren'],
    );
  });

  test('an empty folder is a team of nobody', (t) => {
    assert.deepEqual(findTeam([folder(t)]), { frame: undefined, aspects: [] });
  });

  test('refuses two of one name in any case, two coordinators, and bad homes', (t) => {
    const twins = folder(t);
    addHome(twins, 'a', { name: 'wren' });
    addHome(twins, 'b', { name: 'Wren' });
    assert.throws(() => findTeam([twins]), { code: 'team.name_taken' });
    const frames = folder(t);
    addHome(frames, 'a', { name: 'keel', role: 'frame' });
    addHome(frames, 'b', { name: 'mast', role: 'frame' });
    assert.throws(() => findTeam([frames]), { code: 'team.two_frames', message: /keel, mast/ });
    const bad = folder(t);
    addHome(bad, 'a', { name: 'all' });
    assert.throws(() => findTeam([bad]), { code: 'team.bad_home', message: /aspect\.json/ });
    assert.throws(() => findTeam([join(bad, 'nowhere')]), { code: 'team.no_folder' });
  });
});
