import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { aspectIdentity } from '../credentials/identity.ts';
import { Connection } from './connection.ts';
import { Hub } from './hub.ts';
import { nowhere } from './test-kit.ts';

function setUp() {
  const hub = new Hub();
  const gone: string[] = [];
  hub.onRouteGone(({ name, connection }) => gone.push(`${name} ${connection.id}`));
  const connection = (id: number) => new Connection(id, aspectIdentity('wren'), nowhere);
  return { hub, gone, connection };
}

suite('Hub.onRouteGone', () => {
  test('tells when a name leads nowhere any more, once', () => {
    const { hub, gone, connection } = setUp();
    const route = hub.bind('wren', connection(1), true);
    hub.unbind(route);
    hub.unbind(route);
    assert.deepEqual(gone, ['wren 1']);
  });

  test('tells when a name leads to another connection', () => {
    const { hub, gone, connection } = setUp();
    const older = hub.bind('wren', connection(1), true);
    hub.bind('WREN', connection(2), true);
    assert.deepEqual(gone, ['wren 1']);
    hub.unbind(older);
    assert.deepEqual(gone, ['wren 1'], 'the late end of the older one is old news');
  });

  test('says nothing when the same connection registers again', () => {
    const { hub, gone, connection } = setUp();
    const same = connection(1);
    hub.bind('wren', same, true);
    const route = hub.bind('wren', same, true);
    assert.deepEqual(gone, []);
    hub.unbind(route);
    assert.deepEqual(gone, ['wren 1']);
  });
});
