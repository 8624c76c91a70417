import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startNexus, type TestNexus } from '../integration/start-nexus.ts';
import { RawClient } from './raw-client.ts';

async function clientOf(t: TestContext, nexus: TestNexus, token: string): Promise<RawClient> {
  const client = await RawClient.connect(nexus.url, token);
  t.after(() => client.close());
  return client;
}

const registration = (name: string) => ({
  name,
  session_id: `${name}-1`,
  context_mode: 'thread',
  provider: 'loopback',
});

test('an aspect reads and sets its personality, and is told when it changes', async (t) => {
  const nexus = await startNexus(t);
  const wren = await clientOf(t, nexus, await nexus.token('wren'));

  const none = await wren.request('personality.get', {});
  assert.equal(none.kind, 'personality.get.result');
  const empty = {
    aspect: 'wren',
    version: 0,
    nexus_md: '',
    soul_md: '',
    primer_md: '',
    composed: '',
    central_nexus_md: '',
    central_version: 0,
  };
  assert.deepEqual(none.payload, empty);

  await wren.request('register', registration('wren'));
  const set = await wren.request('personality.set', {
    nexus_md: 'Review.\n',
    soul_md: 'Kind.',
    primer_md: null,
    if_version: 0,
  });
  assert.equal(set.kind, 'personality.set.result');
  assert.deepEqual(set.payload, { aspect: 'wren', old_version: 0, new_version: 1 });
  const refresh = await wren.kind('personality.refresh');
  const changed = {
    ...empty,
    version: 1,
    nexus_md: 'Review.\n',
    soul_md: 'Kind.',
    composed: 'Review.\n\n\n---\n\nKind.',
  };
  assert.deepEqual([refresh['in_reply_to'], refresh.payload], [undefined, changed]);

  const { payload = {} } = await wren.request('personality.get', { aspect: 'WREN' });
  const { updated_at, ...read } = payload;
  assert.deepEqual(read, changed);
  assert.match(String(updated_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  await wren.request('personality.set', { soul_md: 'Exact.' });
  const earlier = await wren.request('personality.get', { version: 1 });
  assert.equal(earlier.payload?.['soul_md'], 'Kind.');

  const refusals: [string, object, string][] = [
    ['personality.set', { soul_md: 'Late.', if_version: 1 }, 'conflict'],
    ['personality.set', { soul_md: 7 }, 'bad_request'],
    ['personality.set', { aspect: 'anvil', soul_md: 'Mine.' }, 'forbidden'],
    ['personality.get', { aspect: 'anvil' }, 'forbidden'],
    ['personality.get', { version: 9 }, 'not_found'],
    ['personality.get', { version: 0 }, 'bad_request'],
  ];
  for (const [kind, asked, code] of refusals) {
    const answer = await wren.request(kind, asked);
    assert.deepEqual([answer.kind, answer.payload?.['code']], [`${kind}.error`, code]);
  }
});

test('the operator reads and sets that of anybody who is known, by name', async (t) => {
  const nexus = await startNexus(t);
  await nexus.token('wren');
  const operator = await clientOf(t, nexus, nexus.operatorToken());
  const set = await operator.request('personality.set', { aspect: 'Wren', primer_md: 'New here.' });
  assert.deepEqual(set.payload, { aspect: 'wren', old_version: 0, new_version: 1 });
  const { payload } = await operator.request('personality.get', { aspect: 'wren' });
  assert.equal(payload?.['composed'], 'New here.');
  for (const [asked, code] of [
    [{}, 'bad_request'],
    [{ aspect: 'nobody' }, 'not_found'],
    [{ aspect: 'operator' }, 'not_found'],
  ] as const) {
    const answer = await operator.request('personality.get', asked);
    assert.deepEqual([answer.kind, answer.payload?.['code']], ['personality.get.error', code]);
  }
});
