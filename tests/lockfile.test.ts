import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';

interface LockEntry {
  readonly resolved?: string;
  readonly gypfile?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const path = new URL('../package-lock.json', import.meta.url);
const { packages } = JSON.parse(readFileSync(path, 'utf8')) as {
  packages: Readonly<Record<string, LockEntry>>;
};

suite('package-lock.json (after npm install, run: npm run lock)', () => {
  test('names no download address', () => {
    const named = Object.keys(packages).filter((name) => packages[name]?.resolved !== undefined);
    assert.deepEqual(named, []);
  });

  test('keeps old npm from compiling better-sqlite3, which a machine without Python cannot', () => {
    assert.equal(packages['node_modules/better-sqlite3']?.gypfile, false);
  });

  test('has the platform packages of every tool, not only of the machine that wrote it', () => {
    const missing = Object.values(packages)
      .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
      .filter((name) => !packages[`node_modules/${name}`]);
    assert.deepEqual(missing, []);
  });
});
