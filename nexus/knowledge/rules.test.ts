import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { deafConnection } from '../broker/test-kit.ts';
import { aspectIdentity, type Identity, operatorIdentity } from '../credentials/identity.ts';
import { assertContentFits, mayShare, normalTopic, scopeOf } from './rules.ts';

suite('scopeOf', () => {
  test('an aspect that says nothing searches its own and what is shared', () => {
    const usual = { whole: ['wren'], shared: 'all' };
    assert.deepEqual(scopeOf('wren', {}), usual);
    assert.deepEqual(scopeOf('wren', { own_agent: false, shared: false, peers: [] }), usual);
  });

  test('an aspect gets what it names, and of peers only what they share', () => {
    assert.deepEqual(scopeOf('wren', { own_agent: true }), { whole: ['wren'], shared: [] });
    assert.deepEqual(scopeOf('wren', { shared: true }), { whole: [], shared: 'all' });
    assert.deepEqual(scopeOf('wren', { peers: ['anvil'] }), { whole: [], shared: ['anvil'] });
    assert.deepEqual(scopeOf('wren', { shared: true, peers: ['anvil'] }), {
      whole: [],
      shared: 'all',
    });
  });

  test('the operator always has its own, what is shared, and all that named peers have', () => {
    assert.deepEqual(scopeOf('operator', { own_agent: false, peers: ['wren', 'anvil'] }), {
      whole: ['operator', 'wren', 'anvil'],
      shared: 'all',
    });
  });
});

suite('mayShare', () => {
  const decides = (identity: Identity, speaker: string, outpostId?: string) => {
    const connection = deafConnection(identity);
    connection.outpostId = outpostId;
    return mayShare(connection, speaker, 'keel');
  };

  test('the operator, the coordinator and admins decide, other aspects do not', () => {
    assert.equal(decides(operatorIdentity, 'operator'), true);
    assert.equal(decides(aspectIdentity('keel'), 'keel'), true);
    assert.equal(decides(aspectIdentity('Keel'), 'Keel'), true);
    assert.equal(decides(aspectIdentity('boss', { admin: true }), 'wren'), true);
    assert.equal(decides(aspectIdentity('wren'), 'wren'), false);
    assert.equal(mayShare(deafConnection(aspectIdentity('wren')), 'wren'), false);
  });

  test('an Outpost lends its token’s rights to nobody', () => {
    assert.equal(decides(aspectIdentity('host', { admin: true }), 'wren', 'host-1'), false);
    assert.equal(decides(operatorIdentity, 'wren', 'host-1'), false);
    assert.equal(decides(aspectIdentity('host'), 'keel', 'host-1'), true);
  });
});

suite('normalTopic', () => {
  test('trims and composes', () => {
    assert.equal(normalTopic('  re\u0301sume\u0301\n'), 'résumé');
    assert.equal(normalTopic('a\ud800'), 'a\ufffd');
  });

  test('refuses blank ones and more than 200 characters', () => {
    for (const blank of ['', ' ', '\n\t\u00a0']) {
      assert.throws(() => normalTopic(blank), { code: 'bad_request' });
    }
    assert.equal(normalTopic(` ${'🙂'.repeat(200)} `), '🙂'.repeat(200));
    for (const long of ['x'.repeat(201), '🙂'.repeat(201), 'x'.repeat(100_000)]) {
      assert.throws(() => normalTopic(long), { code: 'too_large', message: /200 characters/ });
    }
  });
});

suite('assertContentFits', () => {
  test('takes 65,536 bytes and no more', () => {
    assertContentFits('x'.repeat(65_536));
    assertContentFits('é'.repeat(32_768));
    assert.throws(() => assertContentFits(`é${'x'.repeat(65_535)}`), {
      code: 'too_large',
      message: /65536 bytes/,
    });
  });
});
