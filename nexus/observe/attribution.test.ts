import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Connection } from '../broker/connection.ts';
import { deafConnection } from '../broker/test-kit.ts';
import { aspectIdentity } from '../credentials/identity.ts';
import { observedAspect } from './attribution.ts';

function connection(identity: string, names: readonly string[], outpostId?: string): Connection {
  const made = deafConnection(aspectIdentity(identity, { admin: true }), ...names);
  made.outpostId = outpostId;
  return made;
}

suite('observedAspect', () => {
  test('is the registered name, also against a different claim', () => {
    const iris = connection('Iris', ['Iris']);
    for (const claimed of [undefined, '', 'iris', 'wren']) {
      assert.equal(observedAspect(iris, claimed), 'Iris');
    }
  });

  test('is nobody before it registered', () => {
    const code = 'not_registered';
    assert.throws(() => observedAspect(connection('iris', []), 'iris'), { code });
  });

  test('is the claimed one of several names, else the connection’s own', () => {
    const keel = connection('keel', ['iris', 'keel']);
    assert.equal(observedAspect(keel, 'IRIS'), 'iris');
    assert.equal(observedAspect(keel, 'wren'), 'keel');
    const admin = connection('frame', ['iris', 'Wren']);
    assert.equal(observedAspect(admin, 'wren'), 'Wren');
    const code = 'bad_request';
    assert.throws(() => observedAspect(admin, undefined), { code });
    assert.throws(() => observedAspect(admin, 'anvil'), { code });
  });

  test('is never another than an Outpost claims', () => {
    const outpost = connection('host', ['iris'], 'o1');
    assert.equal(observedAspect(outpost, undefined), 'iris');
    assert.equal(observedAspect(outpost, 'iris'), 'iris');
    assert.throws(() => observedAspect(outpost, 'wren'), { code: 'forbidden' });
  });
});
