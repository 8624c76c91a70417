import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClock } from '#shared/sys/fake-clock';
import { LoginCodes, loginCodeMs, maxLoginCodes } from './login-codes.ts';

suite('LoginCodes', () => {
  test('a code lets its operator in once, and nobody by guessing', () => {
    const codes = new LoginCodes(new FakeClock());
    const { code } = codes.make('ana');
    assert.equal(codes.take(`${code}x`), undefined);
    assert.equal(codes.take(''), undefined);
    assert.equal(codes.take(code), 'ana');
    assert.equal(codes.take(code), undefined);
  });

  test('it is void after ten minutes', () => {
    const clock = new FakeClock();
    const codes = new LoginCodes(clock);
    const [late, early] = [codes.make('ana').code, codes.make('ana').code];
    clock.advance(loginCodeMs - 1);
    assert.equal(codes.take(early), 'ana');
    clock.advance(1);
    assert.equal(codes.take(late), undefined);
  });

  test('one more than the bound voids the oldest', () => {
    const codes = new LoginCodes(new FakeClock());
    const made = Array.from({ length: maxLoginCodes + 1 }, () => codes.make('ana').code);
    assert.equal(codes.take(made[0] ?? ''), undefined);
    assert.equal(codes.take(made[1] ?? ''), 'ana');
  });

  test('an operator’s codes can be voided, and everybody’s', () => {
    const codes = new LoginCodes(new FakeClock());
    const [ana, ben] = [codes.make('ana').code, codes.make('ben').code];
    codes.void('ana');
    assert.equal(codes.take(ana), undefined);
    codes.void();
    assert.equal(codes.take(ben), undefined);
  });
});
