import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { expressionsFor } from './query.ts';

suite('expressionsFor', () => {
  test('asks for the phrase, then for all words, then for any', () => {
    assert.deepEqual(expressionsFor('restart the broker'), [
      '"restart the broker"',
      '"restart" "the" "broker"',
      '"restart" OR "the" OR "broker"',
    ]);
    assert.deepEqual(expressionsFor('restart broker', 'phrase'), ['"restart broker"']);
    assert.deepEqual(expressionsFor('broker'), ['"broker"']);
    assert.deepEqual(expressionsFor('go go gadget'), [
      '"go go gadget"',
      '"go" "gadget"',
      '"go" OR "gadget"',
    ]);
  });

  test('lets nothing through but letters and digits', () => {
    assert.deepEqual(expressionsFor('a"b\0c (NEAR) -d* ^topic:e\n', 'phrase'), [
      '"a b c NEAR d topic e"',
    ]);
    assert.deepEqual(expressionsFor('v0.2 naïve 東京'), [
      '"v0 2 naïve 東京"',
      '"v0" "2" "naïve" "東京"',
      '"v0" OR "2" OR "naïve" OR "東京"',
    ]);
    for (const text of ['', ' ', '"', '?!*()', '\0\u0007', '\u0301', '🙂', '\ud800']) {
      assert.deepEqual(expressionsFor(text), [], JSON.stringify(text));
    }
  });

  test('an accent of its own belongs to its letter', () => {
    assert.deepEqual(expressionsFor('re\u0301sume\u0301'), ['"résumé"']);
  });

  test('takes 32 words of the first 1,000 characters', () => {
    const numbers = Array.from({ length: 40 }, (_, i) => `${i}`);
    assert.deepEqual(expressionsFor(numbers.join(' '), 'phrase'), [
      `"${numbers.slice(0, 32).join(' ')}"`,
    ]);
    assert.deepEqual(expressionsFor(`${' '.repeat(999)}ab`), ['"a"']);
    assert.deepEqual(expressionsFor(`${' '.repeat(1_000)}ab`), []);
  });

  test('has quotes around words and nowhere else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        for (const expression of expressionsFor(text)) {
          assert.match(expression, /^"[^"]+"(?: (?:OR )?"[^"]+")*$/u);
          assert.doesNotMatch(expression, /\p{Cc}/u);
        }
      }),
    );
  });
});
