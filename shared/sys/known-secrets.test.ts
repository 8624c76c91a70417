import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { KnownSecrets } from './known-secrets.ts';

const knowing = (...values: string[]): KnownSecrets => {
  const secrets = new KnownSecrets();
  secrets.set('main', values);
  return secrets;
};

suite('KnownSecrets', () => {
  test('cuts a secret out of every place in a line', () => {
    const secrets = knowing('sk-live-1');
    const line = JSON.stringify({ a: 'sk-live-1', b: { c: ['x sk-live-1 y sk-live-1'] } });
    assert.deepEqual(JSON.parse(secrets.redact(line)), {
      a: '[secret]',
      b: { c: ['x [secret] y [secret]'] },
    });
  });

  test('finds it inside JSON in a text, and in a URL', () => {
    const secret = 'quo"te back\\slash\nline é';
    const secrets = knowing(secret);
    const line = JSON.stringify({
      plain: secret,
      nested: JSON.stringify({ secret }),
      url: `https://x.test/?k=${encodeURIComponent(secret)}`,
    });
    assert.deepEqual(JSON.parse(secrets.redact(line)), {
      plain: '[secret]',
      nested: '{"secret":"[secret]"}',
      url: 'https://x.test/?k=[secret]',
    });
  });

  test('takes the longer of two that overlap, so that no rest of it is left', () => {
    const secrets = knowing('abcdef', 'abcdefgh');
    assert.equal(secrets.redact('"abcdefgh abcdef"'), '"[secret] [secret]"');
  });

  test('leaves an escape whole whose letter begins a secret', () => {
    const secrets = knowing('nabcdef');
    const line = JSON.stringify({ text: '\nabcdef nabcdef \\nabcdef' });
    const redacted = JSON.parse(secrets.redact(line)) as object;
    assert.deepEqual(redacted, { text: '\nabcdef [secret] \\[secret]' });
  });

  test('does not look for texts below six letters, nor for what was replaced or forgotten', () => {
    const secrets = knowing('abcde', 'abcdef');
    assert.equal(secrets.redact('"abcde"'), '"abcde"');
    secrets.set('main', ['ghijkl']);
    assert.equal(secrets.redact('"abcdef ghijkl"'), '"abcdef [secret]"');
    secrets.forget('main');
    assert.equal(secrets.redact('"ghijkl"'), '"ghijkl"');
  });

  test('is bounded: the longest texts of an owner, the newest owners', () => {
    const secrets = new KnownSecrets();
    secrets.set(
      'many',
      Array.from({ length: 17 }, (_, i) => `${'x'.repeat(i)}-secret`),
    );
    assert.equal(secrets.redact('"-secret"'), '"-secret"', 'the shortest of 17');
    assert.equal(secrets.redact('"x-secret"'), '"[secret]"');
    for (let i = 0; i < 1_024; i++) secrets.set(`owner ${i}`, [`secret ${i}.`]);
    assert.equal(secrets.redact('"x-secret"'), '"x-secret"', 'the oldest owner made room');
    assert.equal(secrets.redact('"secret 0. secret 1023."'), '"[secret] [secret]"');
  });

  test('whatever the texts, a line stays JSON and holds none of them', () => {
    const secret = fc.string({ unit: 'binary', minLength: 6, maxLength: 12 });
    fc.assert(
      fc.property(secret, fc.string({ unit: 'binary' }), fc.string(), (value, before, after) => {
        fc.pre(!'[secret]'.includes(value) && !`${before}${after}`.includes(value));
        const line = JSON.stringify({ text: `${before}${value}${after}` });
        const { text } = JSON.parse(knowing(value).redact(line)) as { text: string };
        assert.ok(!text.includes(value));
      }),
    );
  });
});
