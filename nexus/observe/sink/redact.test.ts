import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { systemClock } from '#shared/sys/clock';
import { redacting, redactText } from './redact.ts';

/** In pieces, so that no scanner takes the test for a leak. */
const secrets = {
  bearer: `${'abc123'.repeat(4)}.x`,
  jwt: ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiJvcGVyYXRvciJ9', 'c2lnbmF0dXJl'].join('.'),
  model: ['sk', 'ant', 'api03', 'a1B2c3D4e5F6'].join('-'),
  github: ['ghp', 'a1B2c3D4e5F6g7H8i9J0k1'].join('_'),
  slack: ['xoxb', '123456789012', 'abcdef'].join('-'),
  cloud: `AKIA${'A1B2'.repeat(4)}`,
  maps: `AIza${'a1B2'.repeat(9)}`,
  nexus: 'ab12'.repeat(16),
};

suite('redactText', () => {
  test('takes out what looks like a secret', () => {
    for (const [name, secret] of Object.entries(secrets)) {
      const text =
        name === 'bearer' ? `-H "Authorization: Bearer ${secret}"` : `it is ${secret}, ok`;
      const clean = redactText(text);
      assert.equal(clean.includes(secret), false, clean);
      assert.match(clean, /\[redacted\]/);
    }
  });

  test('takes out what is said to be a secret', () => {
    const cases = [
      ['password=hunter22', 'password=[redacted]'],
      ['DB_PASSWORD: hunter22', 'DB_PASSWORD: [redacted]'],
      ['{"api_key":"hunter22"}', '{"api_key":"[redacted]"}'],
      ['{\\"api-key\\": \\"hunter22\\"}', '{\\"api-key\\": \\"[redacted]\\"}'],
      ['GET /connect?token=hunter22&x=1', 'GET /connect?token=[redacted]&x=1'],
      ['https://ana:hunter22@example.org/', 'https://ana:[redacted]@example.org/'],
    ];
    for (const [text = '', clean] of cases) assert.equal(redactText(text), clean);
  });

  test('takes out a private key as a whole', () => {
    const dashes = '-'.repeat(5);
    const key = `${dashes}BEGIN PRIVATE KEY${dashes}\nMIIE\n${dashes}END PRIVATE KEY${dashes}`;
    assert.equal(redactText(`a ${key} b`), 'a [redacted] b');
  });

  test('leaves ordinary words alone', () => {
    const texts = [
      'The token bucket refills; 512 input_tokens were used.',
      'sk-learn-is-a-library-for-python',
      'commit 1234567890abcdef1234567890abcdef12345678',
      'the author: somebody',
      'https://example.org:8080/path',
    ];
    for (const text of texts) assert.equal(redactText(text), text);
  });

  test('takes no long time for any text', () => {
    const hostile = ['eyJ-', 'sk-', 'AKIA', '://a:', 'token', 'token=', 'Bearer ', '-----BEGIN '];
    const before = systemClock.monotonic();
    for (const piece of hostile) redactText(piece.repeat(500_000 / piece.length));
    const tookMs = systemClock.monotonic() - before;
    assert.ok(tookMs < 5_000, `${tookMs} ms`);
  });
});

suite('redacting', () => {
  test('leaves out the values of secret members, whatever they are', () => {
    const value = {
      token: 'a',
      accessToken: 'b',
      'x-api-key': 7,
      client_secret: { deep: 'c' },
      Authorization: ['d'],
      password: null,
      input_tokens: 5,
      list: [`sk-${'a1'.repeat(10)}`],
    };
    assert.deepEqual(JSON.parse(JSON.stringify(value, redacting)), {
      token: '[redacted]',
      accessToken: '[redacted]',
      'x-api-key': '[redacted]',
      client_secret: '[redacted]',
      Authorization: '[redacted]',
      password: null,
      input_tokens: 5,
      list: ['[redacted]'],
    });
  });
});
