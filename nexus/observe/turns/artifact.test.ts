import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { artifactOf, maxEdits } from './artifact.ts';

const roomy = 64 * 1024;

suite('artifactOf', () => {
  test('reads the four tools that change files, and no other', () => {
    const edits = [{ old_string: 'a', new_string: 'b' }, { old_string: 'c' }];
    const cases: [tool: string, input: unknown, artifact: unknown][] = [
      [
        'Edit',
        { file_path: 'f', old_string: 'a', new_string: 'b' },
        { kind: 'file_edit', file_path: 'f', old_text: 'a', new_text: 'b' },
      ],
      ['Edit', {}, { kind: 'file_edit', file_path: '' }],
      [
        'Write',
        { file_path: 'f', content: 'b' },
        { kind: 'file_write', file_path: 'f', new_text: 'b' },
      ],
      [
        'MultiEdit',
        { file_path: 'f', edits },
        {
          kind: 'multi_edit',
          file_path: 'f',
          edits: [
            { old_text: 'a', new_text: 'b' },
            { old_text: 'c', new_text: '' },
          ],
        },
      ],
      [
        'NotebookEdit',
        { notebook_path: 'n', new_source: 'b' },
        { kind: 'notebook_edit', file_path: 'n', new_text: 'b' },
      ],
    ];
    for (const [tool, input, artifact] of cases) {
      assert.deepEqual(artifactOf(tool, input, roomy), { artifact }, tool);
    }
    assert.equal(artifactOf('Read', { file_path: 'f' }, roomy), undefined);
    assert.equal(artifactOf('constructor', {}, roomy), undefined);
  });

  test('says why the input of a known tool cannot be read', () => {
    const cases: [tool: string, input: unknown, problem: string][] = [
      ['Edit', undefined, 'the input is not an object'],
      ['Edit', '{"file_path":"f"}', 'the input is not an object'],
      ['Write', { file_path: 5 }, 'file_path is not text'],
      ['MultiEdit', { edits: {} }, 'edits is not a list'],
      ['MultiEdit', { edits: [7] }, 'edits holds what is not an object'],
      ['MultiEdit', { edits: [{ old_string: 7 }] }, 'old_string is not text'],
    ];
    for (const [tool, input, problem] of cases) {
      assert.deepEqual(artifactOf(tool, input, roomy), { artifact_parse_err: problem });
    }
  });

  test('cuts texts to the room there is', () => {
    const input = { file_path: '12345', old_string: 'a'.repeat(20), new_string: 'b' };
    assert.deepEqual(artifactOf('Edit', input, 15), {
      artifact: {
        kind: 'file_edit',
        file_path: '12345',
        old_text: `${'a'.repeat(10)}…`,
        new_text: '…',
      },
    });
  });

  test('counts the edits that it does not show', () => {
    const edits = Array.from({ length: maxEdits + 7 }, () => ({ old_string: '', new_string: 'x' }));
    const outcome = artifactOf('MultiEdit', { file_path: 'f', edits }, roomy);
    const shown = outcome && 'artifact' in outcome ? (outcome.artifact.edits ?? []) : [];
    assert.equal(shown.length, maxEdits + 1);
    assert.deepEqual(shown.at(-1), { old_text: '', new_text: '… [7 more edits]' });
  });
});
