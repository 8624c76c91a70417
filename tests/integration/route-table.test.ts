import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { routeTable } from '#nexus/http/route-table';
import { startNexus } from './start-nexus.ts';

suite('the route table', () => {
  test('has a rule for every route of the broker, and none for a route that is not there', async (t) => {
    const { broker } = await startNexus(t);
    const served = new Set(broker.routes);
    const ruled = new Set(Object.keys(routeTable));
    assert.deepEqual(
      [...served].filter((route) => !ruled.has(route)),
      [],
      'without a rule',
    );
    assert.deepEqual(
      [...ruled].filter((route) => !served.has(route)),
      [],
      'without a route',
    );
  });
});
