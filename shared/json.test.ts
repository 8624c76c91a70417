import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isTooDeep, parseJson } from './json.ts';

suite('parseJson', () => {
  test('reads half a surrogate pair as U+FFFD and whole ones as they are', () => {
    const cases = {
      '\\ud83d\\ude00': '😀',
      '\\uD83D\\uDE00': '😀',
      '\\ud800': '\ufffd',
      'a\\udc00b': 'a\ufffdb',
      '\\ude00\\ud83d': '\ufffd\ufffd',
      '\\ud83d\\ud83d\\ude00': '\ufffd😀',
      '\\ud83dx\\ude00': '\ufffdx\ufffd',
      '\\\\ud800': '\\ud800',
      '\\\\\\ud800': '\\\ufffd',
      '\\ud7ff\\ue000': '\ud7ff\ue000',
    };
    for (const [escaped, text] of Object.entries(cases)) {
      assert.equal(parseJson(`"${escaped}"`), text, escaped);
      assert.deepEqual(parseJson(`{"${escaped}":[1]}`), { [text]: [1] });
    }
  });

  test('agrees with JSON.parse on everything else', () => {
    const property = fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(parseJson(JSON.stringify(text)), text);
      const escaped = [...text].flatMap((each) =>
        each.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
      );
      assert.equal(parseJson(`"${escaped.join('')}"`), text);
    });
    fc.assert(property);
    assert.throws(() => parseJson('"\\ud8"'), SyntaxError);
    assert.throws(() => parseJson('"\\ud800'), SyntaxError);
  });
});

suite('isTooDeep', () => {
  test('counts arrays and objects inside each other', () => {
    for (const flat of [null, 1, 'x', undefined]) assert.equal(isTooDeep(flat, 0), false);
    const three = [{ a: 1 }, { b: [], c: null }];
    assert.equal(isTooDeep(three, 3), false);
    assert.equal(isTooDeep(three, 2), true);
    assert.equal(isTooDeep([], 0), true);
  });

  test('allows 64 levels, and needs no deep stack for a deep value', () => {
    const nested = (levels: number) => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
    assert.equal(isTooDeep(nested(64)), false);
    assert.equal(isTooDeep(nested(65)), true);
    assert.equal(isTooDeep(nested(400_000)), true);
  });
});
