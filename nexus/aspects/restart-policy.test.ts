import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { RestartPolicy } from './restart-policy.ts';

const minute = 60_000;

suite('RestartPolicy', () => {
  test('waits longer each time, up to a minute', () => {
    const policy = new RestartPolicy();
    const waits = Array.from({ length: 8 }, (_, i) => policy.ended(i, i + 1, 1, 0));
    assert.deepEqual(
      waits.map((decision) => ('restartInMs' in decision ? decision.restartInMs : decision)),
      [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000],
    );
  });

  test('starts over after five healthy minutes', () => {
    const policy = new RestartPolicy();
    policy.ended(0, 1, 1, 0);
    policy.ended(1, 2, 1, 0);
    assert.deepEqual(policy.ended(2, 2 + 5 * minute - 1, 1, 0), { restartInMs: 4_000 });
    const from = 6 * minute;
    assert.deepEqual(policy.ended(from, from + 5 * minute, null, 0), { restartInMs: 1_000 });
  });

  test('gives up at the eleventh end within ten minutes, not when they are further apart', () => {
    const policy = new RestartPolicy();
    for (let i = 0; i < 10; i++) assert.ok('restartInMs' in policy.ended(0, i * 1_000, 1, 0));
    assert.deepEqual(policy.ended(0, 10 * minute - 1, 1, 0), {
      giveUp: 'it ended 11 times in 10 minutes',
    });
    const patient = new RestartPolicy();
    for (let i = 0; i < 50; i++) {
      assert.ok('restartInMs' in patient.ended(0, i * minute, 1, 0), `end ${i}`);
    }
  });

  test('exit code 2 means that trying again is useless', () => {
    assert.deepEqual(new RestartPolicy().ended(0, 10 * minute, 2, 0), {
      giveUp: 'its configuration is wrong',
    });
  });
});
