import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Registration } from '#shared/frames/registration';
import { Roster } from './roster.ts';

const times = { staleAfterMs: 30_000, forgetAfterMs: 600_000 };

const registration = (name: string, session = 's1', port = 0): Registration => ({
  name,
  session_id: session,
  context_mode: 'thread',
  provider: 'test',
  port,
});

const statuses = (roster: Roster) =>
  roster.list().map(({ registration: { name }, status }) => `${name} ${status}`);

suite('Roster', () => {
  test('the same session replaces its entry', () => {
    const roster = new Roster(times);
    const first = roster.register(registration('wren'), 0, { connected: true });
    const second = roster.register({ ...registration('WREN'), model: 'm2' }, 5, {
      connected: true,
    });
    assert.ok(second.generation > first.generation);
    assert.equal(roster.list().length, 1);
    assert.equal(roster.find('Wren')?.registration.model, 'm2');
  });

  test('another session is refused while the first is live', () => {
    const roster = new Roster(times);
    roster.register(registration('wren', 's1'), 0, { connected: true });
    assert.throws(() => roster.register(registration('wren', 's2'), 1, { connected: true }), {
      code: 'conflict',
    });
    assert.equal(roster.find('wren')?.registration.session_id, 's1');
  });

  test('another session displaces one that is stale or down', () => {
    for (const silentMs of [30_001, 60_001]) {
      const roster = new Roster(times);
      roster.register(registration('wren', 's1'), 0, { connected: false });
      roster.sweep(silentMs);
      roster.register(registration('wren', 's2'), silentMs, { connected: true });
      assert.equal(roster.find('wren')?.registration.session_id, 's2');
      assert.deepEqual(statuses(roster), ['wren live']);
    }
  });

  test('a port belongs to one live aspect, 0 to none', () => {
    const roster = new Roster(times);
    roster.register(registration('wren', 's1', 9_000), 0, { connected: false });
    assert.throws(
      () => roster.register(registration('anvil', 's2', 9_000), 0, { connected: false }),
      {
        code: 'conflict',
      },
    );
    assert.equal(roster.find('anvil'), undefined);
    roster.register(registration('wren', 's1', 9_000), 1, { connected: false });
    roster.register(registration('flint', 's3', 0), 1, { connected: false });
    roster.register(registration('keel', 's4', 0), 1, { connected: false });
    roster.sweep(60_002);
    roster.register(registration('anvil', 's2', 9_000), 60_002, { connected: false });
  });

  test('the late end of an older registration does not touch a newer one', () => {
    const roster = new Roster(times);
    const older = roster.register(registration('wren'), 0, { connected: true });
    const newer = roster.register(registration('wren'), 1, { connected: true });
    assert.equal(roster.disconnect('wren', older.generation, 2), undefined);
    assert.deepEqual(statuses(roster), ['wren live']);
    assert.equal(roster.disconnect('wren', newer.generation, 3)?.status, 'down');
    assert.equal(roster.disconnect('nobody', 1, 3), undefined);
  });

  test('is live at exactly the bound, stale one millisecond later, down after twice', () => {
    const roster = new Roster(times);
    roster.register(registration('wren'), 1_000, { connected: false });
    assert.deepEqual(roster.sweep(31_000), []);
    assert.deepEqual(statuses(roster), ['wren live']);
    assert.equal(roster.sweep(31_001)[0]?.status, 'stale');
    assert.deepEqual(roster.sweep(61_000), []);
    assert.deepEqual(statuses(roster), ['wren stale']);
    assert.equal(roster.sweep(61_001)[0]?.status, 'down');
    assert.deepEqual(roster.sweep(90_000), [], 'told once');
  });

  test('a heartbeat revives, and is only for the registered session', () => {
    const roster = new Roster(times);
    roster.register(registration('wren'), 0, { connected: false });
    roster.sweep(60_001);
    assert.equal(roster.heartbeat('WREN', 's1', 70_000).status, 'live');
    assert.deepEqual(roster.sweep(100_000), []);
    assert.throws(() => roster.heartbeat('wren', 's2', 1), { code: 'conflict' });
    assert.throws(() => roster.heartbeat('anvil', 's1', 1), { code: 'not_found' });
  });

  test('an open socket counts as alive, and its end as down', () => {
    const roster = new Roster(times);
    const { generation } = roster.register(registration('wren'), 0, { connected: true });
    assert.deepEqual(roster.sweep(1_000_000), []);
    assert.equal(roster.find('wren')?.lastSeenAt, 1_000_000);
    roster.disconnect('wren', generation, 1_000_005);
    assert.deepEqual(statuses(roster), ['wren down']);
  });

  test('forgets what is down for longer than the bound', () => {
    const roster = new Roster(times);
    const { generation } = roster.register(registration('wren'), 0, { connected: true });
    roster.disconnect('wren', generation, 0);
    roster.sweep(600_000);
    assert.deepEqual(statuses(roster), ['wren down']);
    assert.deepEqual(roster.sweep(600_001), []);
    assert.deepEqual(statuses(roster), []);
  });

  test('deregistering is for the own session, and no failure when absent', () => {
    const roster = new Roster(times);
    roster.register(registration('wren'), 0, { connected: true });
    assert.throws(() => roster.deregister('wren', 's2'), { code: 'conflict' });
    assert.equal(roster.deregister('WREN', 's1')?.registration.name, 'wren');
    assert.equal(roster.deregister('wren', 's1'), undefined);
  });

  test('lists by name', () => {
    const roster = new Roster(times);
    for (const name of ['wren', 'anvil', 'keel'])
      roster.register(registration(name), 0, { connected: true });
    assert.deepEqual(statuses(roster), ['anvil live', 'keel live', 'wren live']);
  });
});
