import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { cutText, cutWithMark, encodedBytes } from './cut-text.ts';
import { previewOf } from './preview.ts';

suite('previewOf', () => {
  test('shows a short line whole', () => {
    assert.equal(previewOf('{"ok":true}'), '{"ok":true}');
    assert.equal(previewOf(''), '');
    assert.equal(previewOf('x'.repeat(200)), 'x'.repeat(200));
  });

  test('cuts at the first line break of the first 200 bytes, else at 200 bytes', () => {
    assert.equal(previewOf('one\ntwo'), 'one…');
    assert.equal(previewOf(`${'x'.repeat(199)}\ny`), `${'x'.repeat(199)}…`);
    assert.equal(previewOf(`${'x'.repeat(200)}\ny`), `${'x'.repeat(200)}…`);
    assert.equal(previewOf('x'.repeat(201)), `${'x'.repeat(200)}…`);
  });

  test('never splits a character', () => {
    assert.equal(previewOf(`${'x'.repeat(199)}é`), `${'x'.repeat(199)}…`);
    assert.equal(previewOf(`${'x'.repeat(198)}😀`), `${'x'.repeat(198)}…`);
  });
});

suite('cutText', () => {
  test('keeps the longest beginning that fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(40), (text, maxBytes) => {
        const kept = cutText(text, maxBytes);
        assert.ok(text.startsWith(kept));
        assert.ok(encodedBytes(kept) <= maxBytes);
        const next = [...text.slice(kept.length)][0];
        if (next !== undefined) assert.ok(encodedBytes(kept + next) > maxBytes);
      }),
    );
  });

  test('has nothing to keep where there is no room', () => {
    assert.equal(cutText('text', 0), '');
    assert.equal(cutText('text', -5), '');
    assert.equal(cutWithMark('text', -5), '…');
    assert.equal(cutWithMark('text', 4), 'text');
  });
});
