import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type Audience, isFor, mentionsIn, type Post, recipientsOf } from './recipients.ts';

const known = ['anvil', 'Flint', 'keel', 'wren'];

const audience: Audience = {
  resolve: (name) => known.find((each) => each.toLowerCase() === name.toLowerCase()),
  everybody: () => known.filter((name) => name !== 'keel'),
  frame: 'keel',
  operator: 'operator',
};

const to = (content: string, more: Partial<Post> = {}) =>
  recipientsOf({ from: 'outsider', content, ...more }, audience);

suite('mentionsIn', () => {
  test('finds names after anything that ends no word', () => {
    const texts: Record<string, string[]> = {
      '@x': ['x'],
      'hi @x, @y; @z!': ['x', 'y', 'z'],
      '(@x) "@y" **@z**': ['x', 'y', 'z'],
      '.@x\n@y\t@z': ['x', 'y', 'z'],
      '@x @x @X': ['x', 'X'],
      '@a_b-c9': ['a_b-c9'],
      'mail a@x and 1@y and _@z': [],
      'josé@x': [],
      '@@x': [],
      '@': [],
      '@ x': [],
      '@é': [],
      'no mention': [],
    };
    for (const [text, names] of Object.entries(texts)) {
      assert.deepEqual(mentionsIn(text), names, text);
    }
  });
});

suite('recipientsOf', () => {
  test('reaches the mentioned in any case, as they spell themselves, alphabetically', () => {
    assert.deepEqual(to('@WREN, @flint and @anvil'), ['Flint', 'anvil', 'wren']);
    assert.deepEqual(to('@wren2 @wre'), []);
  });

  test('forgives dashes that end a mention', () => {
    assert.deepEqual(to('@wren- and @anvil_'), ['anvil', 'wren']);
    assert.deepEqual(to('@wren--'), ['wren']);
  });

  test('@all in any case reaches everybody and the coordinator', () => {
    assert.deepEqual(to('@All hands'), ['Flint', 'anvil', 'keel', 'wren']);
    assert.deepEqual(to('@allison'), []);
    assert.deepEqual(to('@all', { from: 'wren' }), ['Flint', 'anvil', 'keel']);
  });

  test('a reply reaches the author it answers, but not the whole thread', () => {
    assert.deepEqual(to('yes', { replyTo: 4, replyAuthor: 'wren' }), ['wren']);
    assert.deepEqual(to('@anvil yes', { replyTo: 4, replyAuthor: 'wren' }), ['anvil', 'wren']);
    assert.deepEqual(to('yes', { from: 'wren', replyTo: 4, replyAuthor: 'wren' }), []);
  });

  test('nobody hears their own words', () => {
    assert.deepEqual(to('@wren @anvil', { from: 'wren' }), ['anvil']);
    assert.deepEqual(to('@keel', { from: 'keel' }), []);
  });

  test('the operator’s un-addressed word is for the coordinator, an aspect’s for nobody', () => {
    assert.deepEqual(to('hello', { from: 'operator' }), ['keel']);
    assert.deepEqual(to('@nobody hello', { from: 'operator' }), ['keel']);
    assert.deepEqual(to('@wren hello', { from: 'operator' }), ['wren']);
    assert.deepEqual(to('hello', { from: 'wren' }), []);
    const { frame: _, ...frameless } = audience;
    assert.deepEqual(recipientsOf({ from: 'operator', content: 'hello' }, frameless), []);
  });

  test('whatever the text: known names only, sorted, each once, never the sender', () => {
    const word = fc.constantFrom(
      '@',
      '@wren',
      '@Flint',
      '@ALL',
      'anvil',
      ' ',
      '(',
      ')',
      '-',
      'é',
      '@@',
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(word, fc.string()), { maxLength: 12 }),
        fc.constantFrom(...known, 'operator'),
        fc.option(fc.constantFrom(...known), { nil: undefined }),
        (words, from, replyAuthor) => {
          const names = recipientsOf({ from, content: words.join(''), replyAuthor }, audience);
          assert.equal(names.includes(from), false);
          assert.deepEqual(names, [...new Set(names)].sort());
          assert.ok(names.every((name) => known.includes(name)));
          const addressed = replyAuthor !== undefined && replyAuthor !== from;
          if (addressed && !/@all/i.test(words.join(''))) assert.ok(names.includes(replyAuthor));
          const post = { from, content: words.join(''), replyAuthor };
          assert.deepEqual(
            known.filter((name) => isFor(name, post, audience)),
            names.toSorted((a, b) => known.indexOf(a) - known.indexOf(b)),
          );
        },
      ),
    );
  });

  test('a mention counts whatever punctuation stands around it', () => {
    const around = fc.constantFrom(
      ' ',
      '(',
      ')',
      '"',
      '*',
      '.',
      ',',
      ';',
      '!',
      '?',
      '\n',
      '/',
      ':',
    );
    fc.assert(
      fc.property(around, around, (before, after) => {
        assert.deepEqual(to(`x${before}@wren${after}y`), ['wren']);
      }),
    );
  });
});
