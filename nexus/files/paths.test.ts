import assert from 'node:assert/strict';
import { posix, win32 } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isHomeRelative, maxPathBytes, readPath } from './paths.ts';

/** A path as it is kept; `undefined` when it is kept as a label. */
const home: Readonly<Record<string, string>> = {
  'report.md': 'report.md',
  'plans/2026/q3 report.md': 'plans/2026/q3 report.md',
  './a/./b//c/': 'a/b/c',
  '.nexus/notes': '.nexus/notes',
  ' leading': ' leading',
  'a..b/c...d': 'a..b/c...d',
  '~wren/x': '~wren/x',
  'console.log': 'console.log',
  'common/nullable.txt': 'common/nullable.txt',
  com10: 'com10',
  'caf\u0065\u0301.md': 'café.md',
  '報告：一.md': '報告：一.md',
  'a／b': 'a／b',
  '👍🏽.png': '👍🏽.png',
  '1½.txt': '1½.txt',
};

const labels = [
  '/tmp/x',
  '/',
  '//server/share/x',
  '/home/wren/report.md.',
  '/dev/con/x',
  'C:\\Users\\wren\\x.txt',
  'c:/x',
  'C:',
  'C:x',
  'Ｃ：x',
  '／etc/passwd',
  './／etc/passwd',
  './~/x',
  './C:x',
  '\\\\server\\share\\x',
  '\\x',
  '~',
  '~/notes.md',
  'https://example.com/a?b=c',
  'ws://wren/file/a.md',
];

const refused: Readonly<Record<string, RegExp>> = {
  '': /empty/,
  '.': /names no file/,
  './': /names no file/,
  ' ': /ends in a dot or a space/,
  '..': /"\.\."/,
  '../x': /"\.\."/,
  'a/../../x': /"\.\."/,
  'a/..': /"\.\."/,
  'a/.. /x': /"\.\."/,
  'a/. ./x': /"\.\."/,
  '.../x': /"\.\."/,
  '..\\x': /"\.\."/,
  '/tmp/../etc/passwd': /"\.\."/,
  'C:\\a\\..\\b': /"\.\."/,
  '‥/x': /"\.\."/,
  '．．/x': /"\.\."/,
  '..／x': /"\.\."/,
  '․․/x': /"\.\."/,
  'a\\b': /backslash/,
  'a.txt:stream': /colon/,
  'a\0b': /control/,
  'a\nb': /control/,
  '/tmp/a\u007f': /control/,
  'a\u0085b': /control/,
  'a\u2028b': /control/,
  'exe.\u202etxt': /control/,
  '.\u200b./x': /control/,
  '.\u200d./x': /control/,
  '\ufeffa': /control/,
  'a\ud800': /control/,
  con: /device/,
  'a/NUL/b': /device/,
  'aux.txt': /device/,
  'Com1 .log': /device/,
  'com¹': /device/,
  ＣＯＮ: /device/,
  conin$: /device/,
  'a.': /ends in a dot/,
  'a./b': /ends in a dot/,
  'a ': /ends in a dot or a space/,
  [`${'n'.repeat(256)}`]: /over 255 bytes/,
  [`${'é'.repeat(128)}`]: /over 255 bytes/,
  [`/${'n'.repeat(maxPathBytes)}`]: /more than 1024 bytes/,
};

suite('readPath', () => {
  for (const [text, path] of Object.entries(home)) {
    test(`keeps ${JSON.stringify(text)} as ${path}, relative to the home`, () => {
      assert.deepEqual(readPath(text), { path, homeRelative: true });
      assert.equal(isHomeRelative(path), true);
    });
  }

  for (const path of labels) {
    test(`keeps ${JSON.stringify(path)} as a label`, () => {
      assert.deepEqual(readPath(path), { path, homeRelative: false });
      assert.equal(isHomeRelative(path), false);
    });
  }

  for (const [text, why] of Object.entries(refused)) {
    test(`refuses ${JSON.stringify(text).slice(0, 40)}`, () => {
      assert.throws(() => readPath(text), { code: 'bad_request', message: why });
      assert.equal(isHomeRelative(text), false);
    });
  }

  test('takes a path and a name of exactly the most bytes', () => {
    const long = `${`${'n'.repeat(255)}/`.repeat(3)}${'n'.repeat(255)}`;
    assert.equal(readPath(long).path, long);
    assert.equal(Buffer.byteLength(`/${long}`), maxPathBytes);
    assert.equal(readPath(`/${long}`).homeRelative, false);
  });

  test('no path that it takes as relative leaves the home, on any system', () => {
    const hostile = fc.constantFrom(
      ...[
        '.',
        '..',
        '/',
        '\\',
        ':',
        ' ',
        '\0',
        '~',
        'C:',
        'con',
        '‥',
        '．',
        '／',
        '\u200d',
        '\u202e',
      ],
    );
    const piece = fc.oneof(hostile, hostile, fc.string({ unit: 'binary', maxLength: 3 }));
    const anyPath = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(anyPath, fc.string({ unit: 'binary' })), (text) => {
        if (!isHomeRelative(text)) return;
        taken += 1;
        const { path } = readPath(text);
        assert.deepEqual(readPath(path), { path, homeRelative: true }, 'it reads the same again');
        for (const form of ['NFC', 'NFD', 'NFKC'] as const) {
          const seen = path.normalize(form);
          assert.ok(posix.resolve('/home/wren', seen).startsWith('/home/wren/'), seen);
          assert.ok(win32.resolve('C:\\home\\wren', seen).startsWith('C:\\home\\wren\\'), seen);
        }
        assert.equal(posix.normalize(path), path);
      }),
      { numRuns: 5_000 },
    );
    assert.ok(taken > 100, `${taken} paths were taken`);
  });
});
