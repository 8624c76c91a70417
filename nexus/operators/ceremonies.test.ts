import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { Ceremonies, ceremonyMs, maxCeremonies } from './ceremonies.ts';

const login = { purpose: 'login', challenge: 'c' } as const;

suite('Ceremonies', () => {
  test('each is finished once, and only for what it was begun for', () => {
    const ceremonies = new Ceremonies(new FakeClock());
    const token = ceremonies.begin(login);
    assert.match(token, /^[0-9a-f]{32}$/);
    assert.deepEqual(ceremonies.finish(token, 'login'), login);
    assert.equal(ceremonies.finish(token, 'login'), undefined);

    const other = ceremonies.begin(login);
    assert.equal(ceremonies.finish(other, 'registration'), undefined);
    assert.equal(ceremonies.finish(other, 'login'), undefined, 'the wrong purpose uses it up');
  });

  test('it ends after five minutes', () => {
    const clock = new FakeClock();
    const ceremonies = new Ceremonies(clock);
    const token = ceremonies.begin(login);
    clock.advance(ceremonyMs);
    assert.equal(ceremonies.finish(token, 'login'), undefined);
  });

  test('one more than the bound ends the oldest', () => {
    const ceremonies = new Ceremonies(new FakeClock());
    const tokens = Array.from({ length: maxCeremonies + 1 }, () => ceremonies.begin(login));
    assert.equal(ceremonies.finish(tokens[0] ?? '', 'login'), undefined);
    assert.deepEqual(ceremonies.finish(tokens[1] ?? '', 'login'), login);
  });
});
