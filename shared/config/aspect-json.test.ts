import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { loadAspectHome } from './aspect-json.ts';

function home(t: TestContext, content: unknown): string {
  const path = mkdtempSync(join(tmpdir(), 'nexus-home-'));
  t.after(() => rmSync(path, { recursive: true }));
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(path, 'aspect.json'), text);
  return path;
}

const minimal = { name: 'wren', context_mode: 'thread' };

suite('loadAspectHome', () => {
  test('reads a home, and says nothing about what later versions know', (t) => {
    const path = home(t, { ...minimal, port: 0, compaction: {}, limits: { parallel_sessions: 2 } });
    const { config, warnings } = loadAspectHome(path);
    assert.equal(config.name, 'wren');
    assert.equal(config.limits?.parallel_sessions, 2);
    assert.deepEqual(warnings, []);
  });

  test('warns about a member that nobody knows', (t) => {
    const { warnings } = loadAspectHome(home(t, { ...minimal, contxt_mode: 'global' }));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /aspect\.json: "contxt_mode" is not known and has no effect$/);
  });

  test('refuses wrong types and names, naming file and member', (t) => {
    const wrong: [unknown, RegExp][] = [
      ['{', /aspect\.json: /],
      [[], /aspect\.json: must be object/],
      [{ ...minimal, name: 'all' }, /\/name "all" is reserved/],
      [{ ...minimal, name: '../up' }, /\/name/],
      [{ ...minimal, context_mode: 'other' }, /\/context_mode/],
      [{ name: 'wren' }, /context_mode/],
      [{ ...minimal, port: '80' }, /\/port must be integer/],
      [{ ...minimal, role: 'boss' }, /\/role/],
      [{ ...minimal, limits: { turn_timeout_s: 0 } }, /\/limits\/turn_timeout_s/],
      [{ ...minimal, limits: { replies_per_thread: 1.5 } }, /\/limits\/replies_per_thread/],
    ];
    for (const [content, message] of wrong) {
      assert.throws(() => loadAspectHome(home(t, content)), { code: 'home.invalid', message });
    }
  });

  test('says when there is nothing to read', () => {
    assert.throws(() => loadAspectHome('/nowhere/at/all'), { code: 'home.unreadable' });
  });
});
