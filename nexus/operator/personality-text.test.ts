import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { formatDocuments, parseDocuments } from './personality-text.ts';

const documents = { nexusMd: 'Review.\n\n# Rules', soulMd: '', primerMd: '  indented' };

const text = `# === NEXUS.md ===
Review.

# Rules

# === SOUL.md ===

# === PRIMER.md ===
  indented
`;

suite('the editor’s form of a personality', () => {
  test('has a marker line above each document', () => {
    assert.equal(formatDocuments(documents), text);
    assert.deepEqual(parseDocuments(text), documents);
  });

  test('drops what is above the first marker, one newline and trailing space', () => {
    assert.deepEqual(parseDocuments(`A note.\n# not one\n${text}\n \n`), documents);
    const glued = '# === NEXUS.md ===\n\nSecond line.  \n# === SOUL.md === \r\n# === PRIMER.md ===';
    const read = { nexusMd: '\nSecond line.', soulMd: '', primerMd: '' };
    assert.deepEqual(parseDocuments(glued), read);
  });

  test('is refused with a marker that is missing, broken, twice or elsewhere', () => {
    const [nexus, soul, primer] = text.split(/(?=# ===)/);
    const wrong = [
      '',
      `${nexus}${soul}`,
      `${soul}${nexus}${primer}`,
      `${text}${primer}`,
      text.replace('# === SOUL.md ===', '# == SOUL.md =='),
      text.replace('# === SOUL.md ===', '# === soul.md ==='),
    ];
    for (const each of wrong) {
      assert.throws(() => parseDocuments(each), {
        code: 'operator.bad_text',
        message: /once each, in this order: # === NEXUS\.md ===, # === SOUL/,
      });
    }
  });
});
