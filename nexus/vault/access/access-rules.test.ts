import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { denialOf, type Judged } from './access-rules.ts';

const mail: Judged = { allowedAspects: ['wren', 'Anvil'], kind: 'imap', mode: 'fetch' };

suite('who may read a credential', () => {
  test('those on its list, in any spelling, or everybody', () => {
    for (const aspect of ['wren', 'WREN', 'anvil']) {
      assert.equal(denialOf(mail, aspect, 'imap'), undefined);
    }
    assert.equal(denialOf(mail, 'keel', 'imap'), 'not_allowed');
    assert.equal(denialOf({ ...mail, allowedAspects: ['*'] }, 'keel', 'imap'), undefined);
    assert.equal(denialOf({ ...mail, allowedAspects: [] }, 'wren', 'imap'), 'not_allowed');
  });

  test('of the kind that was asked for, in a mode that hands out', () => {
    assert.equal(denialOf(mail, 'wren', 'jira'), 'other_kind');
    assert.equal(denialOf(mail, 'wren'), undefined);
    assert.equal(denialOf({ ...mail, mode: 'both' }, 'wren', 'imap'), undefined);
    assert.equal(denialOf({ ...mail, mode: 'proxy' }, 'wren', 'imap'), 'proxy_only');
  });

  test('is decided in an order that tells strangers nothing of kind and mode', () => {
    assert.equal(denialOf(undefined, 'wren', 'imap'), 'unknown');
    const hidden: Judged = { allowedAspects: [], kind: 'jira', mode: 'proxy' };
    assert.equal(denialOf(hidden, 'wren', 'imap'), 'not_allowed');
    assert.equal(denialOf({ ...mail, mode: 'proxy' }, 'wren', 'jira'), 'other_kind');
  });
});
